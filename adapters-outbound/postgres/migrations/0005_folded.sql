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
