-- Where the log had got to at a moment of the wall clock: what was there then is at least that old, whatever the time
-- of its event. Made as the clean-up goes, not by each record.
CREATE TABLE marks (
    time INTEGER PRIMARY KEY, -- wall clock, milliseconds since 1970
    seq  INTEGER NOT NULL     -- of the newest record
) STRICT;
-- Who was connected, from when to when. All times are those of the wall clock.
CREATE TABLE connections (
    id      INTEGER PRIMARY KEY,
    opened  INTEGER NOT NULL, -- milliseconds since 1970
    closed  INTEGER,          -- nothing while it is open, or if the server ended first
    person  TEXT NOT NULL,
    role    TEXT NOT NULL,
    surface TEXT NOT NULL,
    address TEXT NOT NULL,
    why     TEXT,             -- why it closed
    bytes   INTEGER           -- how much was sent
) STRICT;
CREATE INDEX connections_by_opened ON connections (opened);
CREATE INDEX connections_open ON connections (id) WHERE why IS NULL;
-- Who did what, and what came of it.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY,
    time       INTEGER NOT NULL, -- wall clock, milliseconds since 1970
    person     TEXT NOT NULL,
    role       TEXT NOT NULL,
    surface    TEXT NOT NULL,
    address    TEXT NOT NULL,
    action     TEXT NOT NULL,
    target     TEXT,
    payload    TEXT,             -- JSON
    request_id TEXT,
    outcome    TEXT,             -- nothing until it is known
    detail     TEXT
) STRICT;
CREATE INDEX audit_by_time ON audit (time);
CREATE INDEX audit_by_request ON audit (request_id) WHERE request_id IS NOT NULL;
-- What was counted in each hour of the wall clock.
CREATE TABLE statistics (
    hour  INTEGER NOT NULL, -- its beginning, milliseconds since 1970
    name  TEXT NOT NULL,    -- what was counted: records, deliveries, …
    thing TEXT NOT NULL,    -- of which type, on which surface; empty if there are no kinds of it
    count INTEGER NOT NULL,
    PRIMARY KEY (hour, name, thing)
) STRICT, WITHOUT ROWID;
-- A booking is asked for by its own id.
CREATE INDEX records_by_booking
    ON records (CASE WHEN json_valid(body) THEN json_extract(body, '$.payload.booking_id') END)
    WHERE type = 'booking_updated';
