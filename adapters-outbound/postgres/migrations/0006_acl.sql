-- Access control lists of nodes: `docs/decisions/0056-acl.md`. Most nodes have none, and take no room for it; no row is
-- written now.
ALTER TABLE node ADD COLUMN acl bytea;

-- `apply_1` and `apply_2`, which a server of a release before may still call, build whole rows of nodes. They are made
-- anew with the column. Such a server knows no lists, and leaves them as they are, but for those of nodes that it gives
-- other permissions: there the mode decides from then on, as who sets it means. What the lists took is counted on until
-- a check sets the sums of the share right.
DO $anew$
DECLARE
    v_name text;
    v_before text;
    v_after text;
BEGIN
    FOREACH v_name IN ARRAY ARRAY['apply_1', 'apply_2'] LOOP
        SELECT pg_get_functiondef(oid) INTO STRICT v_before FROM pg_proc
        WHERE proname = v_name AND pronamespace = current_schema()::regnamespace;
        v_after := regexp_replace(
            v_before, 'ELSE v_row\.exclusions END(\s*)\)::node',
            'ELSE v_row.exclusions END, '
            'CASE WHEN v_mask & 1 <> 0 AND (p_code[i + 3] & 511) <> (v_row.mode & 511) THEN NULL ELSE v_row.acl END)'
            '::node'
        );
        IF v_after = v_before THEN
            RAISE EXCEPTION 'the function % is not as it was made', v_name;
        END IF;
        v_before := v_after;
        v_after := regexp_replace(
            v_before, 'exclusions = v_row\.exclusions', 'exclusions = v_row.exclusions, acl = v_row.acl'
        );
        IF v_after = v_before THEN
            RAISE EXCEPTION 'the function % is not as it was made', v_name;
        END IF;
        EXECUTE v_after;
    END LOOP;
END
$anew$;
