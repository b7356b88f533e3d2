/** Marks a SQLite file as Parley's (`PRAGMA application_id`): the letters `PRLY`. */
export const APPLICATION_ID = 0x50524c59

/**
 * The first schema. STRICT, so that a value of the wrong type is an error and not a surprise.
 * The partial index is the last guard of "one active request per user"; the queue decides it first.
 */
export const FIRST_SCHEMA = `
CREATE TABLE requests (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  server_id TEXT NOT NULL,
  channel_id TEXT NOT NULL,
  message TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  discord_message_id TEXT UNIQUE,
  priority INTEGER NOT NULL,
  not_before INTEGER,
  status TEXT NOT NULL
    CHECK (status IN ('SCHEDULED', 'QUEUED', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED')),
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  status_message_id TEXT,
  started_at INTEGER,
  finished_at INTEGER,
  error_code TEXT,
  CHECK ((finished_at IS NOT NULL) = (status IN ('COMPLETED', 'FAILED', 'CANCELLED'))),
  CHECK ((error_code IS NOT NULL) = (status IN ('FAILED', 'CANCELLED')))
) STRICT;

CREATE UNIQUE INDEX requests_active ON requests (user_id) WHERE status IN ('QUEUED', 'PROCESSING');

CREATE INDEX requests_conversation ON requests (user_id, server_id);

CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL REFERENCES requests (id),
  user_id TEXT NOT NULL,
  server_id TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
  content TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  model TEXT,
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  UNIQUE (request_id, role)
) STRICT;

CREATE INDEX messages_conversation ON messages (user_id, server_id, id);

PRAGMA application_id = ${APPLICATION_ID};
`
