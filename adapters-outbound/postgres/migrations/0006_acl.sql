-- Access control lists of nodes: `docs/decisions/0056-acl.md`. Most nodes have none, and take no room for it; no row is
-- written now.
ALTER TABLE node ADD COLUMN acl bytea;

-- `apply_1` and `apply_2`, which a server of a release before may still call, build whole rows of nodes. They are made
-- anew with the column as it was: such a server knows no lists, and leaves them as they are.
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
            v_before, 'ELSE v_row\.exclusions END(\s*)\)::node', 'ELSE v_row.exclusions END, v_row.acl)::node'
        );
        IF v_after = v_before THEN
            RAISE EXCEPTION 'the function % is not as it was made', v_name;
        END IF;
        EXECUTE v_after;
    END LOOP;
END
$anew$;
