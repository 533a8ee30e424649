-- Extended attributes of nodes: `docs/decisions/0059-extended-attributes.md`. All of a node are one row; what they count
-- for is also in the node's. Most nodes have none, and take no room for it; no row is written now.
ALTER TABLE node ADD COLUMN xattr_bytes int4;

CREATE TABLE xattr (
    share int8,
    node int8,
    -- Differs from that of all other states of the node's attributes.
    version int8 NOT NULL,
    bytes int4 NOT NULL,
    packed bytea NOT NULL,
    PRIMARY KEY (share, node)
);

-- `apply_1` to `apply_3`, which a server of a release before may still call, build whole rows of nodes. They are made
-- anew with the column. Such a server knows no attributes: it leaves them as they are, and they go with the nodes that
-- it removes. What those counted for is counted on until a check sets the sums of the share right.
DO $anew$
DECLARE
    v_name text;
    v_before text;
    v_after text;
BEGIN
    FOREACH v_name IN ARRAY ARRAY['apply_1', 'apply_2', 'apply_3'] LOOP
        SELECT pg_get_functiondef(oid) INTO STRICT v_before FROM pg_proc
        WHERE proname = v_name AND pronamespace = current_schema()::regnamespace;
        v_after := regexp_replace(
            v_before, 'ELSE v_row\.acl END(\s*)\)(\s*)::node', 'ELSE v_row.acl END, v_row.xattr_bytes)::node'
        );
        IF v_after = v_before THEN
            RAISE EXCEPTION 'the function % is not as it was made', v_name;
        END IF;
        v_before := v_after;
        v_after := regexp_replace(
            v_before, 'DELETE FROM node WHERE share = p_share AND id = p_nodes\[k\];',
            'v_row := v_rows[k]; IF v_row.flags & 2 <> 0 THEN '
            'DELETE FROM xattr WHERE share = p_share AND node = p_nodes[k]; END IF; '
            'DELETE FROM node WHERE share = p_share AND id = p_nodes[k];'
        );
        IF v_after = v_before THEN
            RAISE EXCEPTION 'the function % is not as it was made', v_name;
        END IF;
        EXECUTE v_after;
    END LOOP;
END
$anew$;
