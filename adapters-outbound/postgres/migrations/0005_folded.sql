-- Names for clients that ignore case: `docs/decisions/0050-folded-names.md`.

-- The folded name of an entry, where that is another name; so most entries have none, and take no room for it. No row
-- is written now: a server fills the column in when it opens a share whose `folding` is null.
ALTER TABLE entry ADD COLUMN folded bytea;

-- What `apply_1` writes, which a server of the release before may still call: that this is not known yet. No name has a
-- NUL.
ALTER TABLE entry ALTER COLUMN folded SET DEFAULT '\x00';

-- Other expressions than those of `entry_cookie`: no statement can take one of the two for the other. The folded name
-- comes early, so that rows of which it is not known yet are found by it alone.
CREATE INDEX entry_folded ON entry ((0 + share), folded, (0 + directory), (0 + space), cookie)
WHERE folded IS NOT NULL;

-- By which table names are folded, once that is known of all entries.
ALTER TABLE share ADD COLUMN folding int2;

-- Gives entries their folded names, null where that is the name itself. One statement each: so each is found by its key,
-- whatever the planner knows of the table.
CREATE FUNCTION fold_1(
    p_share int8, p_directories int8[], p_spaces int2[], p_names bytea[], p_folded bytea[]
) RETURNS int4 LANGUAGE plpgsql AS $fold$
BEGIN
    FOR i IN 1 .. cardinality(p_names) LOOP
        UPDATE entry SET folded = p_folded[i]
        WHERE share = p_share AND directory = p_directories[i] AND space = p_spaces[i] AND name = p_names[i];
    END LOOP;
    RETURN cardinality(p_names);
END
$fold$;
