/** What people have chosen for themselves; who has chosen nothing has no row. */
export const PREFERENCES_SCHEMA = `
CREATE TABLE preferences (
  user_id TEXT NOT NULL PRIMARY KEY,
  persona TEXT,
  model TEXT,
  reasoning TEXT NOT NULL CHECK (reasoning IN ('hidden', 'spoiler', 'file')),
  direct_server_id TEXT
) STRICT, WITHOUT ROWID;
`
