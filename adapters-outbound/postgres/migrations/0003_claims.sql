-- Which server has a share: `docs/decisions/0047-one-server-of-a-share.md`.

-- Two servers that begin at once make a share once.
CREATE UNIQUE INDEX share_name ON share (name);

-- Gives a share to a server: returns the number of its claim, which is greater than all before, and the time in
-- milliseconds; nothing if there is no such share. The caller has the share's other lock, in its session.
--
-- Waits for every statement that changes something under an earlier claim. None comes after it.
CREATE FUNCTION claim_1(p_share int8, p_lock int8, p_address text) RETURNS TABLE (o_number int8, o_at int8)
LANGUAGE plpgsql AS $claim$
#variable_conflict use_column
BEGIN
    PERFORM pg_advisory_xact_lock(p_lock);
    PERFORM 1 FROM share WHERE id = p_share;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    o_at := (extract(epoch FROM clock_timestamp()) * 1000)::int8;
    -- By the clock, so that a number is not given again either to a share that was removed and restored.
    SELECT greatest(o_at, max(epoch) + 1) INTO o_number FROM instance WHERE share = p_share;
    DELETE FROM instance WHERE share = p_share;
    INSERT INTO instance VALUES (p_share, o_number, 0, false, p_address);
    RETURN NEXT;
END
$claim$;

-- Returns the share if a claim of it stands, and holds it up until the end of the transaction: so it comes first in
-- every statement that changes something. Ends with SQLSTATE DF003 if another server has the share.
CREATE FUNCTION standing_1(p_share int8, p_number int8, p_lock int8) RETURNS int8
LANGUAGE plpgsql AS $standing$
DECLARE
    v_fenced bool;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(p_lock);
    -- A statement of its own, so that it sees what was committed before the lock was had.
    SELECT is_fenced INTO v_fenced FROM instance WHERE share = p_share AND epoch = p_number;
    IF v_fenced IS NOT FALSE THEN
        RAISE EXCEPTION 'another server has taken the share over' USING ERRCODE = 'DF003';
    END IF;
    RETURN p_share;
END
$standing$;
