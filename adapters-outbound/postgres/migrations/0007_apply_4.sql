-- As `apply_3`, with extended attributes: an expectation of their version (18), what they count for in a new node (32)
-- and in one that is updated (31), and themselves (46, 47). They go with their node (36).
--
-- Applies plans of one share, one after another, each as a whole or not at all. A plan whose expectations fail changes
-- nothing, and the others go on; one that contradicts itself ends the whole call with SQLSTATE DF001.
--
-- Rows are locked in one order before anything is checked: count of directory moves, objects by id, nodes by id. Each
-- statement after that sees what was committed before the locks were had. So the isolation is READ COMMITTED.
--
-- A program of this release or the one before calls this function while another one has newer migrations: it is never
-- changed. A new one gets the next number.
--
-- p_nodes      nodes that a plan names, in their order; rows stand under their places here, from 1 on
-- p_wanted     places in p_nodes whose rows are returned, as they were
-- p_objects    objects that a plan names, in their order
-- p_topology   whether a plan expects or raises the count of directory moves
-- p_plans      of each plan: where its expectations begin in p_code, where its changes do, where it ends
-- p_code       expectations and changes: a number that says which, and its operands (src/apply/code.rs)
-- p_blobs      names, ids of objects, extents and targets; p_code has their places, 0 for none
-- p_ops        of each plan the operation, or no bytes
-- p_made       of each plan the node that it makes, or 0
-- p_opened     when the caller's store was opened, and p_age: how long operations count; both in ms
--
-- Returns (7, plan, outcome, tree) for each plan: 0 applied, 1 an expectation failed, 2 the operation is known; and
-- (1, place, -, -, row) for each row that is wanted and there.
CREATE FUNCTION apply_4(
    p_share int8, p_nodes int8[], p_wanted int4[], p_objects bytea[], p_topology bool, p_plans int8[], p_code int8[],
    p_blobs bytea[], p_ops bytea[], p_made int8[], p_opened int8, p_age int8
) RETURNS TABLE (o_tag int2, o_n int8, o_a int8, o_b int8, o_node node)
LANGUAGE plpgsql AS $apply$
#variable_conflict use_column
DECLARE
    -- Rows that are held, by their places; all columns are null where there is none.
    v_rows node[];
    v_row node;
    v_dirty bool[];
    v_applied bool[];
    v_topology int8;
    v_tree int8;
    v_bytes int8 := 0;
    v_nodes int8 := 0;
    v_at int8 := (extract(epoch FROM clock_timestamp()) * 1000)::int8;
    v_cut int8 := v_at - p_age;
    v_plan int4;
    v_place int4;
    v_base int4;
    v_end int4;
    i int4;
    k int4;
    v_mask int8;
    v_ok bool;
    v_owner int8;
    v_state int2;
    v_links int8;
    v_node int8;
    v_cookie int8;
BEGIN
    -- Locks.
    IF p_topology THEN
        SELECT n INTO v_topology FROM topology WHERE share = p_share FOR UPDATE;
    END IF;
    FOR v_place IN 1 .. cardinality(p_objects) LOOP
        PERFORM 1 FROM object WHERE share = p_share AND id = p_objects[v_place] FOR UPDATE;
    END LOOP;
    FOR v_place IN 1 .. cardinality(p_nodes) LOOP
        SELECT * INTO v_row FROM node WHERE share = p_share AND id = p_nodes[v_place] FOR NO KEY UPDATE;
        v_rows[v_place] := v_row;
    END LOOP;
    SELECT next INTO v_tree FROM counter WHERE share = p_share AND what = 4;
    o_tag := 1;
    FOR v_base IN 1 .. cardinality(p_wanted) LOOP
        o_node := v_rows[p_wanted[v_base]];
        IF o_node.id IS NOT NULL THEN
            o_n := p_wanted[v_base];
            RETURN NEXT;
        END IF;
    END LOOP;
    o_node := NULL;
    o_tag := 7;
    o_b := v_tree;

    FOR v_plan IN 1 .. cardinality(p_ops) LOOP
        i := p_plans[3 * v_plan - 2];
        v_end := p_plans[3 * v_plan - 1];
        o_n := v_plan;

        -- Whether the operation was carried out. Only now: a copy of it had the locks before.
        IF length(p_ops[v_plan]) > 0 THEN
            PERFORM 1 FROM op
            WHERE share = p_share
                AND id >= substring(p_ops[v_plan] FROM 1 FOR 14) || '\x0000'::bytea
                AND id <= substring(p_ops[v_plan] FROM 1 FOR 14) || '\xffff'::bytea
                AND (at > v_cut OR (at <= p_opened AND p_opened > v_cut))
                AND (id = p_ops[v_plan] OR at <= p_opened)
            LIMIT 1;
            IF FOUND THEN
                o_a := 2;
                RETURN NEXT;
                CONTINUE;
            END IF;
        END IF;

        -- All expectations, and only then whether what the changes need is there.
        v_ok := true;
        WHILE v_ok AND i < v_end LOOP
            CASE p_code[i]
            WHEN 1 THEN -- no entry
                PERFORM 1 FROM entry
                WHERE share = p_share AND directory = p_code[i + 1] AND space = p_code[i + 2]::int2
                    AND name = p_blobs[p_code[i + 3]];
                v_ok := NOT FOUND;
                i := i + 4;
            WHEN 17 THEN -- no entry of a folded name
                PERFORM 1 FROM entry
                WHERE share = p_share AND directory = p_code[i + 1] AND space = p_code[i + 2]::int2
                    AND name = p_blobs[p_code[i + 3]];
                IF NOT FOUND THEN
                    PERFORM 1 FROM entry
                    WHERE (0 + share) = p_share AND folded = p_blobs[p_code[i + 3]]
                        AND (0 + directory) = p_code[i + 1] AND (0 + space) = p_code[i + 2]::int2
                    LIMIT 1;
                END IF;
                v_ok := NOT FOUND;
                i := i + 4;
            WHEN 16 THEN -- a node that a change needs
                v_row := v_rows[p_code[i + 1]];
                IF v_row.id IS NULL THEN
                    IF p_code[i + 2] = 0 THEN
                        RAISE EXCEPTION 'node % is not there', p_nodes[p_code[i + 1]] USING ERRCODE = 'DF001';
                    END IF;
                    v_ok := false;
                END IF;
                i := i + 3;
            WHEN 2 THEN -- linked
                v_row := v_rows[p_code[i + 1]];
                v_ok := v_row.id IS NOT NULL AND v_row.flags & 8 = 0;
                i := i + 2;
            WHEN 3 THEN -- permission version
                v_row := v_rows[p_code[i + 1]];
                v_ok := v_row.id IS NOT NULL AND v_row.permission_version = p_code[i + 2];
                i := i + 3;
            WHEN 4 THEN -- an entry
                SELECT node, cookie INTO v_node, v_cookie FROM entry
                WHERE share = p_share AND directory = p_code[i + 1] AND space = p_code[i + 2]::int2
                    AND name = p_blobs[p_code[i + 3]];
                v_ok := FOUND AND v_node = p_code[i + 4] AND v_cookie = p_code[i + 5];
                i := i + 6;
            WHEN 5 THEN -- links
                v_row := v_rows[p_code[i + 1]];
                v_ok := v_row.id IS NOT NULL AND v_row.links = p_code[i + 2];
                i := i + 3;
            WHEN 6 THEN -- exists
                v_row := v_rows[p_code[i + 1]];
                v_ok := v_row.id IS NOT NULL;
                i := i + 2;
            WHEN 7 THEN -- empty
                v_row := v_rows[p_code[i + 1]];
                v_ok := v_row.id IS NOT NULL;
                IF v_ok THEN
                    PERFORM 1 FROM entry WHERE share = p_share AND directory = v_row.id AND space = 0 LIMIT 1;
                    v_ok := NOT FOUND;
                END IF;
                i := i + 2;
            WHEN 8 THEN -- parent
                v_row := v_rows[p_code[i + 1]];
                v_ok := v_row.id IS NOT NULL AND v_row.parent = p_code[i + 2];
                i := i + 3;
            WHEN 9 THEN -- count of directory moves
                v_ok := v_topology = p_code[i + 1];
                i := i + 2;
            WHEN 10 THEN -- change
                v_row := v_rows[p_code[i + 1]];
                v_ok := v_row.id IS NOT NULL AND v_row.change = p_code[i + 2];
                i := i + 3;
            WHEN 11 THEN -- nothing but its row: files (1) and streams (8) have content
                v_row := v_rows[p_code[i + 1]];
                v_ok := v_row.id IS NOT NULL AND v_row.flags & 7 = 0 AND (
                    v_row.kind NOT IN (1, 8)
                    OR (v_row.size = 0 AND v_row.allocated = 0 AND v_row.truncation_offset IS NULL)
                );
                i := i + 2;
            WHEN 12 THEN -- content version
                v_row := v_rows[p_code[i + 1]];
                v_ok := v_row.id IS NOT NULL AND v_row.content_version = p_code[i + 2];
                i := i + 3;
            WHEN 18 THEN -- version of extended attributes, if there are any
                v_row := v_rows[p_code[i + 1]];
                v_ok := v_row.id IS NOT NULL;
                IF v_ok THEN
                    SELECT version INTO v_owner FROM xattr WHERE share = p_share AND node = v_row.id;
                    v_ok := CASE WHEN p_code[i + 2] = 0 THEN NOT FOUND ELSE FOUND AND v_owner = p_code[i + 3] END;
                END IF;
                i := i + 4;
            WHEN 13 THEN -- object live, or being written by this epoch
                SELECT state, owner INTO v_state, v_owner FROM object
                WHERE share = p_share AND id = p_blobs[p_code[i + 1]];
                v_ok := FOUND AND (v_state = 1 OR (v_state = 0 AND v_owner = p_code[i + 2]));
                i := i + 3;
            WHEN 14 THEN -- state of an object
                SELECT state INTO v_state FROM object WHERE share = p_share AND id = p_blobs[p_code[i + 1]];
                v_ok := FOUND AND v_state = p_code[i + 2];
                i := i + 3;
            WHEN 15 THEN -- unreferenced
                PERFORM 1 FROM reference WHERE share = p_share AND object = p_blobs[p_code[i + 1]] LIMIT 1;
                v_ok := NOT FOUND;
                i := i + 2;
            END CASE;
        END LOOP;
        IF NOT v_ok THEN
            o_a := 1;
            RETURN NEXT;
            CONTINUE;
        END IF;

        v_end := p_plans[3 * v_plan];
        WHILE i < v_end LOOP
            CASE p_code[i]
            WHEN 32 THEN -- a new node
                v_mask := p_code[i + 31];
                INSERT INTO node VALUES (
                    p_share, p_code[i + 1], p_code[i + 2], p_code[i + 3], p_code[i + 4], p_code[i + 5], p_code[i + 6],
                    p_code[i + 7], p_code[i + 8], p_code[i + 9], p_code[i + 10], p_code[i + 11], p_code[i + 12],
                    p_code[i + 13], p_code[i + 14], p_code[i + 15], p_code[i + 16], p_code[i + 17], p_code[i + 18],
                    p_code[i + 19], p_code[i + 20], p_code[i + 21], v_tree, p_code[i + 22], p_code[i + 23],
                    p_code[i + 24],
                    CASE WHEN v_mask & 1 <> 0 THEN p_code[i + 25] END,
                    CASE WHEN v_mask & 2 <> 0 THEN p_code[i + 26] END,
                    CASE WHEN v_mask & 4 <> 0 THEN p_code[i + 27] END,
                    CASE WHEN v_mask & 4 <> 0 THEN p_code[i + 28] END,
                    CASE WHEN v_mask & 4 <> 0 THEN p_code[i + 29] END,
                    CASE WHEN v_mask & 8 <> 0 THEN p_code[i + 30] END,
                    p_blobs[nullif(p_code[i + 32], 0)], p_blobs[nullif(p_code[i + 33], 0)],
                    p_blobs[nullif(p_code[i + 34], 0)], nullif(p_code[i + 35], 0)
                );
                i := i + 36;
            WHEN 33 THEN -- a new entry
                INSERT INTO entry VALUES (
                    p_share, p_code[i + 1], p_code[i + 5], p_code[i + 4], v_tree, p_code[i + 2],
                    p_blobs[p_code[i + 3]], p_blobs[nullif(p_code[i + 6], 0)]
                );
                i := i + 7;
            WHEN 31 THEN -- update of a node, in the row that is held; written at the end
                k := p_code[i + 1];
                v_mask := p_code[i + 2];
                v_row := v_rows[k];
                IF v_row.id IS NULL THEN
                    RAISE EXCEPTION 'node % is gone', p_nodes[k] USING ERRCODE = 'DF001';
                END IF;
                IF v_mask & 16 <> 0 THEN
                    v_links := (v_row.links::int8 & 4294967295) + p_code[i + 6];
                    IF v_links < 0 OR v_links > 4294967295 THEN
                        RAISE EXCEPTION 'links out of range' USING ERRCODE = 'DF001';
                    END IF;
                    v_row.links := CASE WHEN v_links > 2147483647 THEN v_links - 4294967296 ELSE v_links END;
                END IF;
                -- One expression: each that a call evaluates costs more than what is in it. Times: 1 to the plan's, but
                -- always later, 2 to this one (ctime later, too), 3 at least.
                v_row := ROW(
                    v_row.share,
                    v_row.id,
                    CASE WHEN v_mask & 32 <> 0 THEN p_code[i + 7] ELSE v_row.size END,
                    v_row.allocated + p_code[i + 8],
                    CASE
                        WHEN p_code[i + 9] = 0 THEN v_row.atime
                        WHEN p_code[i + 9] = 2 OR (p_code[i + 10], p_code[i + 11])
                            > (v_row.atime, v_row.atime_nanos + CASE WHEN p_code[i + 9] = 1 THEN 1 ELSE 0 END)
                            THEN p_code[i + 10]
                        WHEN p_code[i + 9] = 3 OR v_row.atime_nanos < 999999999 OR v_row.atime = 9223372036854775807
                            THEN v_row.atime
                        ELSE v_row.atime + 1
                    END,
                    CASE
                        WHEN p_code[i + 12] = 0 THEN v_row.mtime
                        WHEN p_code[i + 12] = 2 OR (p_code[i + 13], p_code[i + 14])
                            > (v_row.mtime, v_row.mtime_nanos + CASE WHEN p_code[i + 12] = 1 THEN 1 ELSE 0 END)
                            THEN p_code[i + 13]
                        WHEN p_code[i + 12] = 3 OR v_row.mtime_nanos < 999999999 OR v_row.mtime = 9223372036854775807
                            THEN v_row.mtime
                        ELSE v_row.mtime + 1
                    END,
                    CASE
                        WHEN p_code[i + 15] = 0 THEN v_row.ctime
                        WHEN (p_code[i + 16], p_code[i + 17])
                            > (v_row.ctime, v_row.ctime_nanos + CASE WHEN p_code[i + 15] = 3 THEN 0 ELSE 1 END)
                            THEN p_code[i + 16]
                        WHEN p_code[i + 15] = 3 OR v_row.ctime_nanos < 999999999 OR v_row.ctime = 9223372036854775807
                            THEN v_row.ctime
                        ELSE v_row.ctime + 1
                    END,
                    CASE WHEN v_mask & 131072 <> 0 THEN p_code[i + 31] ELSE v_row.birth END,
                    greatest(v_row.change + CASE WHEN p_code[i + 15] = 0 THEN 0 ELSE 1 END,
                        CASE WHEN v_mask & 65536 <> 0 THEN p_code[i + 18] END),
                    v_row.permission_version + CASE WHEN v_mask & 64 <> 0 THEN 1 ELSE 0 END,
                    CASE WHEN v_mask & 128 <> 0 THEN p_code[i + 19] ELSE v_row.content_version END,
                    greatest(v_row.content_seq, CASE WHEN v_mask & 256 <> 0 THEN p_code[i + 20] END),
                    greatest(v_row.times_seq, CASE WHEN v_mask & 512 <> 0 THEN p_code[i + 21] END),
                    CASE WHEN v_mask & 1024 <> 0 THEN p_code[i + 22] ELSE v_row.parent END,
                    CASE WHEN v_mask & 1024 <> 0 THEN p_code[i + 23] ELSE v_row.parent_cookie END,
                    CASE
                        WHEN p_code[i + 9] = 0 THEN v_row.atime_nanos
                        WHEN p_code[i + 9] = 2 OR (p_code[i + 10], p_code[i + 11])
                            > (v_row.atime, v_row.atime_nanos + CASE WHEN p_code[i + 9] = 1 THEN 1 ELSE 0 END)
                            THEN p_code[i + 11]::int4
                        WHEN p_code[i + 9] = 3 THEN v_row.atime_nanos
                        WHEN v_row.atime_nanos < 999999999 THEN v_row.atime_nanos + 1
                        WHEN v_row.atime = 9223372036854775807 THEN v_row.atime_nanos
                        ELSE 0
                    END,
                    CASE
                        WHEN p_code[i + 12] = 0 THEN v_row.mtime_nanos
                        WHEN p_code[i + 12] = 2 OR (p_code[i + 13], p_code[i + 14])
                            > (v_row.mtime, v_row.mtime_nanos + CASE WHEN p_code[i + 12] = 1 THEN 1 ELSE 0 END)
                            THEN p_code[i + 14]::int4
                        WHEN p_code[i + 12] = 3 THEN v_row.mtime_nanos
                        WHEN v_row.mtime_nanos < 999999999 THEN v_row.mtime_nanos + 1
                        WHEN v_row.mtime = 9223372036854775807 THEN v_row.mtime_nanos
                        ELSE 0
                    END,
                    CASE
                        WHEN p_code[i + 15] = 0 THEN v_row.ctime_nanos
                        WHEN (p_code[i + 16], p_code[i + 17])
                            > (v_row.ctime, v_row.ctime_nanos + CASE WHEN p_code[i + 15] = 3 THEN 0 ELSE 1 END)
                            THEN p_code[i + 17]::int4
                        WHEN p_code[i + 15] = 3 THEN v_row.ctime_nanos
                        WHEN v_row.ctime_nanos < 999999999 THEN v_row.ctime_nanos + 1
                        WHEN v_row.ctime = 9223372036854775807 THEN v_row.ctime_nanos
                        ELSE 0
                    END,
                    CASE WHEN v_mask & 131072 <> 0 THEN p_code[i + 32]::int4 ELSE v_row.birth_nanos END,
                    CASE WHEN v_mask & 2 <> 0 THEN p_code[i + 4]::int4 ELSE v_row.uid END,
                    CASE WHEN v_mask & 4 <> 0 THEN p_code[i + 5]::int4 ELSE v_row.gid END,
                    CASE WHEN v_mask & 8 <> 0 THEN p_code[i + 6]::int4 ELSE v_row.links END,
                    v_tree::int4,
                    CASE WHEN v_mask & 1 <> 0 THEN p_code[i + 3]::int2 ELSE v_row.mode END,
                    v_row.kind,
                    ((v_row.flags | p_code[i + 25]) & ~p_code[i + 26])::int2,
                    v_row.device,
                    v_row.create_verifier,
                    CASE
                        WHEN v_mask & 8192 <> 0 THEN p_code[i + 27]
                        WHEN v_mask & 16384 = 0 THEN v_row.truncation_offset
                    END,
                    CASE
                        WHEN v_mask & 8192 <> 0 THEN p_code[i + 28]
                        WHEN v_mask & 16384 = 0 THEN v_row.truncation_version
                    END,
                    CASE
                        WHEN v_mask & 8192 <> 0 THEN p_code[i + 29]
                        WHEN v_mask & 16384 = 0 THEN v_row.truncation_end
                    END,
                    CASE WHEN v_mask & 2048 <> 0 THEN p_code[i + 24]::int4 ELSE v_row.dos_attributes END,
                    v_row.target,
                    CASE WHEN v_mask & 32768 <> 0 THEN p_blobs[nullif(p_code[i + 30], 0)] ELSE v_row.exclusions END,
                    CASE WHEN v_mask & 262144 <> 0 THEN p_blobs[nullif(p_code[i + 33], 0)] ELSE v_row.acl END,
                    CASE WHEN v_mask & 524288 <> 0 THEN nullif(p_code[i + 34], 0)::int4 ELSE v_row.xattr_bytes END
                )::node;
                IF v_row.allocated < 0 THEN
                    RAISE EXCEPTION 'allocated bytes out of range' USING ERRCODE = 'DF001';
                END IF;
                v_rows[k] := v_row;
                v_dirty[k] := true;
                i := i + 35;
            WHEN 34 THEN -- an entry goes
                DELETE FROM entry
                WHERE share = p_share AND directory = p_code[i + 1] AND space = p_code[i + 2]::int2
                    AND name = p_blobs[p_code[i + 3]];
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'no such entry' USING ERRCODE = 'DF001';
                END IF;
                i := i + 4;
            WHEN 35 THEN -- sums
                v_bytes := v_bytes + p_code[i + 1];
                v_nodes := v_nodes + p_code[i + 2];
                i := i + 3;
            WHEN 36 THEN -- a node goes, which has nothing any more
                k := p_code[i + 1];
                PERFORM 1 FROM entry WHERE share = p_share AND directory = p_nodes[k] LIMIT 1;
                IF FOUND THEN
                    RAISE EXCEPTION 'node % has entries', p_nodes[k] USING ERRCODE = 'DF001';
                END IF;
                PERFORM 1 FROM map WHERE share = p_share AND node = p_nodes[k] LIMIT 1;
                IF FOUND THEN
                    RAISE EXCEPTION 'node % has rows', p_nodes[k] USING ERRCODE = 'DF001';
                END IF;
                v_row := v_rows[k];
                IF v_row.flags & 2 <> 0 THEN
                    DELETE FROM xattr WHERE share = p_share AND node = p_nodes[k];
                END IF;
                DELETE FROM node WHERE share = p_share AND id = p_nodes[k];
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'node % is gone', p_nodes[k] USING ERRCODE = 'DF001';
                END IF;
                v_rows[k] := NULL;
                v_dirty[k] := false;
                i := i + 2;
            WHEN 37 THEN -- a row of a map
                INSERT INTO map VALUES (
                    p_share, p_code[i + 1], p_code[i + 2], p_code[i + 3], nullif(p_code[i + 4], 0), v_tree,
                    p_blobs[nullif(p_code[i + 5], 0)]
                ) ON CONFLICT (share, node, page) DO UPDATE SET
                    version = excluded.version, pages = excluded.pages, since = excluded.since,
                    extents = excluded.extents;
                i := i + 6;
            WHEN 38 THEN -- a row of a map goes, if it is there
                DELETE FROM map WHERE share = p_share AND node = p_code[i + 1] AND page = p_code[i + 2];
                i := i + 3;
            WHEN 39 THEN -- why a node has no name
                INSERT INTO unlinked VALUES (p_share, p_code[i + 1], p_code[i + 2])
                ON CONFLICT (share, node) DO UPDATE SET reason = excluded.reason;
                i := i + 3;
            WHEN 40 THEN
                DELETE FROM unlinked WHERE share = p_share AND node = p_code[i + 1];
                i := i + 2;
            WHEN 41 THEN -- an object
                INSERT INTO object VALUES (
                    p_share, p_code[i + 3], p_code[i + 4], p_code[i + 5], p_code[i + 2], p_blobs[p_code[i + 1]]
                ) ON CONFLICT (share, id) DO UPDATE SET
                    owner = excluded.owner, bytes = excluded.bytes, place = excluded.place, state = excluded.state
                -- Each file of a flush makes its object live, so that most find it as it is to be.
                WHERE (object.owner, object.bytes, object.place, object.state)
                    IS DISTINCT FROM (excluded.owner, excluded.bytes, excluded.place, excluded.state);
                i := i + 6;
            WHEN 42 THEN
                DELETE FROM object WHERE share = p_share AND id = p_blobs[p_code[i + 1]];
                i := i + 2;
            WHEN 43 THEN -- a reference
                INSERT INTO reference VALUES (
                    p_share, p_code[i + 2], p_code[i + 3], p_code[i + 4], p_blobs[p_code[i + 1]]
                ) ON CONFLICT DO NOTHING;
                i := i + 5;
            WHEN 44 THEN
                DELETE FROM reference
                WHERE share = p_share AND object = p_blobs[p_code[i + 1]] AND node = p_code[i + 2]
                    AND chunk = p_code[i + 3] AND until = p_code[i + 4]::int4;
                i := i + 5;
            WHEN 46 THEN -- extended attributes
                INSERT INTO xattr VALUES (
                    p_share, p_code[i + 1], p_code[i + 2], p_code[i + 3]::int4, p_blobs[p_code[i + 4]]
                ) ON CONFLICT (share, node) DO UPDATE SET
                    version = excluded.version, bytes = excluded.bytes, packed = excluded.packed;
                i := i + 5;
            WHEN 47 THEN -- they go, if they are there
                DELETE FROM xattr WHERE share = p_share AND node = p_code[i + 1];
                i := i + 2;
            WHEN 45 THEN -- directories have moved
                v_topology := v_topology + p_code[i + 1];
                UPDATE topology SET n = v_topology WHERE share = p_share;
                i := i + 2;
            END CASE;
        END LOOP;
        v_applied[v_plan] := true;
        o_a := 0;
        RETURN NEXT;
    END LOOP;

    FOR v_place IN 1 .. cardinality(p_nodes) LOOP
        IF v_dirty[v_place] THEN
            v_row := v_rows[v_place];
            UPDATE node SET
                size = v_row.size, allocated = v_row.allocated, atime = v_row.atime, mtime = v_row.mtime,
                ctime = v_row.ctime, birth = v_row.birth, change = v_row.change,
                permission_version = v_row.permission_version, content_version = v_row.content_version,
                content_seq = v_row.content_seq, times_seq = v_row.times_seq, parent = v_row.parent,
                parent_cookie = v_row.parent_cookie,
                atime_nanos = v_row.atime_nanos, mtime_nanos = v_row.mtime_nanos, ctime_nanos = v_row.ctime_nanos,
                birth_nanos = v_row.birth_nanos, uid = v_row.uid, gid = v_row.gid, links = v_row.links,
                since = v_row.since, mode = v_row.mode,
                flags = v_row.flags, truncation_offset = v_row.truncation_offset,
                truncation_version = v_row.truncation_version, truncation_end = v_row.truncation_end,
                dos_attributes = v_row.dos_attributes, exclusions = v_row.exclusions,
                acl = v_row.acl, xattr_bytes = v_row.xattr_bytes
            WHERE share = p_share AND id = v_row.id;
        END IF;
    END LOOP;
    FOR v_plan IN 1 .. cardinality(p_ops) LOOP
        IF v_applied[v_plan] AND length(p_ops[v_plan]) > 0 THEN
            -- One whose time is over has no meaning any more.
            INSERT INTO op VALUES (p_share, v_at, p_made[v_plan], p_ops[v_plan])
            ON CONFLICT (share, id) DO UPDATE SET at = excluded.at, made = excluded.made
            WHERE op.at <= v_cut AND NOT (op.at <= p_opened AND p_opened > v_cut);
            IF NOT FOUND THEN
                RAISE EXCEPTION 'the operation is being carried out elsewhere' USING ERRCODE = 'DF002';
            END IF;
        END IF;
    END LOOP;
    -- Last, since a row of it is many plans'.
    IF v_bytes <> 0 OR v_nodes <> 0 THEN
        INSERT INTO stat VALUES (p_share, v_bytes, v_nodes, (pg_backend_pid() % 256)::int2)
        ON CONFLICT (share, shard) DO UPDATE SET
            bytes = stat.bytes + excluded.bytes, nodes = stat.nodes + excluded.nodes;
    END IF;
END
$apply$;
