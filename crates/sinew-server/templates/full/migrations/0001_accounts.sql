CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    -- Argon2id, with its salt and its cost.
    password_hash TEXT NOT NULL
) STRICT;
