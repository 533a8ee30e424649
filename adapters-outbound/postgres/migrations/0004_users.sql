-- The users of servers, beside the shares: `docs/decisions/0049-users.md`. No server has them for itself.

-- By the folded name. Unsigned numbers of 32 bits are kept as signed ones of the same bits.
CREATE TABLE account (
    revision int8 NOT NULL,
    uid int4 NOT NULL,
    gid int4 NOT NULL,
    is_disabled bool NOT NULL,
    folded bytea PRIMARY KEY,
    name bytea NOT NULL,
    groups int4[] NOT NULL,
    -- Sealed by a key that is not in the database.
    secret bytea NOT NULL
);

-- The number that begins the security identifiers of all users: one row at most.
CREATE TABLE machine (
    id bytea NOT NULL,
    one int2 PRIMARY KEY CHECK (one = 1)
);
