CREATE TABLE todos (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX todos_by_account ON todos (account_id);
