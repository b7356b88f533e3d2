/**
 * Questions that are asked later, and the requests they have become. A schedule that has no next time is deleted, so its
 * requests do not refer to it.
 */
export const SCHEDULES_SCHEMA = `
CREATE TABLE schedules (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  server_id TEXT NOT NULL,
  direct_server_name TEXT,
  channel_id TEXT NOT NULL,
  message TEXT NOT NULL,
  recurrence TEXT NOT NULL CHECK (recurrence IN ('once', 'daily', 'weekdays', 'weekly')),
  zone TEXT NOT NULL,
  hour INTEGER NOT NULL CHECK (hour BETWEEN 0 AND 23),
  minute INTEGER NOT NULL CHECK (minute BETWEEN 0 AND 59),
  second INTEGER NOT NULL CHECK (second BETWEEN 0 AND 59),
  weekday INTEGER NOT NULL CHECK (weekday BETWEEN 0 AND 6),
  if_missed TEXT NOT NULL CHECK (if_missed IN ('run', 'skip')),
  next_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX schedules_due ON schedules (next_at);

CREATE INDEX schedules_user ON schedules (user_id, next_at);

CREATE TABLE scheduled_requests (
  request_id TEXT NOT NULL PRIMARY KEY REFERENCES requests (id),
  schedule_id TEXT NOT NULL,
  missed INTEGER NOT NULL CHECK (missed IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_scheduled ON requests (not_before) WHERE status = 'SCHEDULED';
`

/** What has come of a schedule. */
export const SCHEDULED_REQUESTS_SCHEMA = `
CREATE INDEX scheduled_requests_schedule ON scheduled_requests (schedule_id);
`

/** The IANA zone in which times are to be read that somebody names; null when they have not said. */
export const TIME_ZONES_SCHEMA = `
ALTER TABLE preferences ADD COLUMN time_zone TEXT;
`
