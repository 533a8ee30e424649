-- The tables. `docs/decisions/0002-records.md` says what is in the records, and `0045-postgresql.md` why they stand so.
--
-- Unsigned numbers of 32 bits are kept as signed ones of the same bits. Columns of 8 bytes come first, so that no row
-- has padding. Names are bytes, which no collation reorders.

CREATE TABLE share (
    id int8 PRIMARY KEY,
    journal_incarnation int8 NOT NULL,
    is_dirty bool NOT NULL,
    counts_names bool NOT NULL,
    keys_are_all bool NOT NULL,
    name text NOT NULL,
    handle_key bytea NOT NULL,
    content_owner bytea NOT NULL,
    journal bytea NOT NULL,
    -- Sizes, in the order of the fields of `Scale`.
    scale int8[] NOT NULL,
    keys int8[] NOT NULL,
    -- Starts: each an epoch and a nonce.
    lineage_given int8[] NOT NULL,
    lineage_journal int8[],
    lineage_content int8[],
    -- Of each: number, seconds, nanoseconds, whether it is kept, objects, bytes.
    backups int8[] NOT NULL
);

-- How many directories have got another parent. Apart from the share, whose row stays unlocked.
CREATE TABLE topology (
    share int8 PRIMARY KEY,
    n int8 NOT NULL
);

-- The next number of each kind: 1 ids, 2 stamps, 3 epochs, 4 trees.
CREATE TABLE counter (
    share int8,
    next int8 NOT NULL,
    what int2,
    PRIMARY KEY (share, what)
);

-- Sums over the share, in parts that different sessions change.
CREATE TABLE stat (
    share int8,
    bytes int8 NOT NULL,
    nodes int8 NOT NULL,
    shard int2,
    PRIMARY KEY (share, shard)
);

CREATE TABLE node (
    share int8 NOT NULL,
    id int8 NOT NULL,
    size int8 NOT NULL,
    allocated int8 NOT NULL,
    atime int8 NOT NULL,
    mtime int8 NOT NULL,
    ctime int8 NOT NULL,
    birth int8 NOT NULL,
    change int8 NOT NULL,
    permission_version int8 NOT NULL,
    content_version int8 NOT NULL,
    content_seq int8 NOT NULL,
    times_seq int8 NOT NULL,
    parent int8 NOT NULL,
    parent_cookie int8 NOT NULL,
    atime_nanos int4 NOT NULL,
    mtime_nanos int4 NOT NULL,
    ctime_nanos int4 NOT NULL,
    birth_nanos int4 NOT NULL,
    uid int4 NOT NULL,
    gid int4 NOT NULL,
    links int4 NOT NULL,
    since int4 NOT NULL,
    mode int2 NOT NULL,
    kind int2 NOT NULL,
    flags int2 NOT NULL,
    -- What few nodes have.
    device int8,
    create_verifier int8,
    truncation_offset int8,
    truncation_version int8,
    truncation_end int8,
    dos_attributes int4,
    target bytea,
    exclusions bytea,
    PRIMARY KEY (share, id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX node_truncation ON node (share, id) WHERE truncation_offset IS NOT NULL;

CREATE TABLE entry (
    share int8 NOT NULL,
    directory int8 NOT NULL,
    cookie int8 NOT NULL,
    node int8 NOT NULL,
    since int4 NOT NULL,
    space int2 NOT NULL,
    name bytea NOT NULL,
    PRIMARY KEY (share, directory, space, name)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Expressions, so that no look-up by name can use it: on a young table the planner took it for one, and went through
-- the whole directory, or the whole share. A column that such a look-up names is enough for that, wherever it stands in
-- the index.
CREATE UNIQUE INDEX entry_cookie ON entry ((share + 0), (directory + 0), (space + 0), cookie);

CREATE TABLE map (
    share int8 NOT NULL,
    node int8 NOT NULL,
    page int8 NOT NULL,
    version int8 NOT NULL,
    -- Of a run of holes.
    pages int8,
    since int4 NOT NULL,
    -- Of one page.
    extents bytea,
    PRIMARY KEY (share, node, page)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Extents do not compress.
ALTER TABLE map ALTER COLUMN extents SET STORAGE EXTERNAL;

CREATE TABLE unlinked (
    share int8,
    node int8,
    reason int2 NOT NULL,
    PRIMARY KEY (share, node)
);

CREATE TABLE object (
    share int8 NOT NULL,
    owner int8 NOT NULL,
    bytes int8 NOT NULL,
    place int4 NOT NULL,
    state int2 NOT NULL,
    id bytea NOT NULL,
    PRIMARY KEY (share, id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

CREATE TABLE reference (
    share int8 NOT NULL,
    node int8 NOT NULL,
    chunk int8 NOT NULL,
    until int4 NOT NULL,
    object bytea NOT NULL,
    PRIMARY KEY (share, object, node, chunk, until)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Operations that were carried out lately: the call, then the way by which it came; in milliseconds of the database's
-- clock; the node that was made, or 0.
CREATE TABLE op (
    share int8 NOT NULL,
    at int8 NOT NULL,
    made int8 NOT NULL,
    id bytea NOT NULL,
    PRIMARY KEY (share, id)
);

-- For several servers of a share: who holds unflushed bytes of a node, and who wants to.
CREATE TABLE lease (
    share int8 NOT NULL,
    node int8 NOT NULL,
    holder int8,
    epoch int8 NOT NULL,
    wanted_by int8,
    PRIMARY KEY (share, node)
);

-- The same: starts of servers.
CREATE TABLE instance (
    share int8 NOT NULL,
    epoch int8 NOT NULL,
    -- In milliseconds of the database's clock.
    until int8 NOT NULL,
    is_fenced bool NOT NULL,
    address text NOT NULL,
    PRIMARY KEY (share, epoch)
);
