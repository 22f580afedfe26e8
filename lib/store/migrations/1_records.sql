-- The log. `seq` is the order of arrival and is never used twice, not even after old records are deleted.
CREATE TABLE records (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    time    INTEGER NOT NULL, -- event time, milliseconds since 1970
    type    TEXT NOT NULL,
    source  TEXT,
    gate_id TEXT,
    lot_id  TEXT,
    body    TEXT NOT NULL     -- the whole line, JSON
) STRICT;
-- Each index ends with `seq` by itself.
CREATE INDEX records_by_time ON records (time);
CREATE INDEX records_by_type ON records (type);
CREATE INDEX records_by_gate ON records (gate_id, type) WHERE gate_id IS NOT NULL;
CREATE INDEX records_by_lot ON records (lot_id, type) WHERE lot_id IS NOT NULL;
