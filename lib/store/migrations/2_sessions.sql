-- A session: one vehicle's stay, from its entry to its exit.
CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    plate        TEXT,
    card         TEXT,
    confidence   REAL,
    gate_id      TEXT,
    lot_id       TEXT,
    entered      INTEGER NOT NULL, -- event time, milliseconds since 1970
    exited       INTEGER,
    exit_gate_id TEXT,
    exit_plate   TEXT,             -- as read at the exit
    exit_card    TEXT,
    matched      TEXT,
    CHECK (plate IS NOT NULL OR card IS NOT NULL)
) STRICT;
CREATE INDEX sessions_by_plate ON sessions (plate, entered) WHERE plate IS NOT NULL;
CREATE INDEX sessions_by_card ON sessions (card, entered) WHERE card IS NOT NULL;
CREATE INDEX sessions_inside ON sessions (entered) WHERE exited IS NULL;
