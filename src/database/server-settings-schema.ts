/**
 * What is set for whole servers, who changed what of it, and which people have been told that a chosen model is not
 * offered any more. Lists of ids are JSON. A server that was reset keeps its row, so that the version only grows.
 */
export const SERVER_SETTINGS_SCHEMA = `
CREATE TABLE server_settings (
  server_id TEXT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL CHECK (version > 0),
  persona TEXT,
  model TEXT,
  channels TEXT NOT NULL CHECK (json_type(channels) = 'array'),
  roles TEXT NOT NULL CHECK (json_type(roles) = 'array')
) STRICT, WITHOUT ROWID;

CREATE TABLE server_settings_audit (
  id INTEGER PRIMARY KEY,
  server_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  what TEXT NOT NULL CHECK (what IN ('persona', 'model', 'channels', 'roles')),
  value_before TEXT,
  value_after TEXT
) STRICT;
CREATE INDEX server_settings_audit_by_server ON server_settings_audit (server_id, id);
CREATE INDEX server_settings_audit_by_user ON server_settings_audit (user_id, server_id, id);

CREATE TABLE told_withdrawals (
  user_id TEXT NOT NULL,
  model TEXT NOT NULL,
  PRIMARY KEY (user_id, model)
) STRICT, WITHOUT ROWID;
`
