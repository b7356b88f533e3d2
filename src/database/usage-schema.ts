/**
 * What the quotas count. Tokens are kept by person and day, so that forgetting a conversation gives none of them back;
 * the requests of the last hour are found by their time.
 */
export const USAGE_SCHEMA = `
CREATE TABLE token_usage (
  day INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  tokens INTEGER NOT NULL CHECK (tokens >= 0),
  PRIMARY KEY (day, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX token_usage_user ON token_usage (user_id);

INSERT INTO token_usage (day, user_id, tokens)
  SELECT timestamp / 86400000, user_id, sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0))
    FROM messages WHERE role = 'assistant' GROUP BY 1, 2;

CREATE INDEX requests_user_time ON requests (user_id, timestamp);
`
