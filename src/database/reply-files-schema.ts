/** What comes as files with the last message of a reply; kept no longer than that is to be delivered. */
export const REPLY_FILES_SCHEMA = `
CREATE TABLE reply_files (
  id INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL REFERENCES requests (id),
  name TEXT NOT NULL,
  content TEXT NOT NULL,
  UNIQUE (request_id, name)
) STRICT;
`
