-- What a reader of the log had made of it up to a place, so that it need not read everything again.
CREATE TABLE snapshots (
    name TEXT PRIMARY KEY,
    seq  INTEGER NOT NULL, -- of the last record taken into account
    body TEXT NOT NULL
) STRICT;
