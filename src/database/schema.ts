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

/**
 * The durable queue. `admission` is the order of acceptance; `interaction_token` is a secret of a quarter of an hour and
 * kept no longer than the reply is due. The outbox has one row per message to send; its text goes once the row has
 * ended, because `messages` keeps the answer.
 */
export const DURABLE_QUEUE_SCHEMA = `
ALTER TABLE requests ADD COLUMN admission INTEGER;
ALTER TABLE requests ADD COLUMN interaction_token TEXT;

UPDATE requests SET admission = numbered.place
  FROM (SELECT id, row_number() OVER (ORDER BY timestamp, rowid) AS place FROM requests) AS numbered
  WHERE numbered.id = requests.id;

CREATE UNIQUE INDEX requests_admission ON requests (admission);

CREATE INDEX requests_finished ON requests (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL REFERENCES requests (id),
  part INTEGER NOT NULL CHECK (part >= 0),
  content TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'DELIVERED', 'ABANDONED')),
  message_id TEXT,
  reason TEXT,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  UNIQUE (request_id, part),
  CHECK ((ended_at IS NOT NULL) = (state <> 'PENDING')),
  CHECK ((reason IS NOT NULL) = (state = 'ABANDONED')),
  CHECK (state = 'PENDING' OR content = '')
) STRICT;

CREATE INDEX outbox_pending ON outbox (id) WHERE state = 'PENDING';

CREATE TABLE direct_channels (
  channel_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  last_message_id TEXT NOT NULL,
  used_at INTEGER NOT NULL
) STRICT;

CREATE INDEX direct_channels_used ON direct_channels (used_at);

CREATE TABLE probes (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  written_at INTEGER NOT NULL,
  padding BLOB NOT NULL
) STRICT;
`

/** Further Discord messages that a request was made of while it waited, so that none of them is taken in once more. */
export const ADDED_MESSAGES_SCHEMA = `
CREATE TABLE added_messages (
  discord_message_id TEXT NOT NULL PRIMARY KEY,
  request_id TEXT NOT NULL REFERENCES requests (id)
) STRICT;

CREATE INDEX added_messages_request ON added_messages (request_id);
`
