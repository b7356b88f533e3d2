/**
 * The files of requests, and what is known of those that cannot be used. They go with their request; their bytes are of
 * no use without it.
 */
export const ATTACHMENTS_SCHEMA = `
CREATE TABLE attachments (
  request_id TEXT NOT NULL REFERENCES requests (id),
  position INTEGER NOT NULL CHECK (position >= 0),
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('image', 'text', 'pdf', 'unused')),
  media_type TEXT,
  reason TEXT,
  bytes BLOB,
  PRIMARY KEY (request_id, position),
  CHECK ((kind = 'unused') = (reason IS NOT NULL)),
  CHECK ((kind = 'unused') = (bytes IS NULL)),
  CHECK ((kind = 'unused') = (media_type IS NULL))
) STRICT;
`
