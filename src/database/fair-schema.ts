/**
 * What the fair order goes on with after a restart. A request keeps the share it was admitted with; what its user has
 * used is ahead of virtual time until others have caught up, and has no row after that.
 */
export const FAIR_SCHEMA = `
ALTER TABLE requests ADD COLUMN tier TEXT NOT NULL DEFAULT 'default';
ALTER TABLE requests ADD COLUMN share_start REAL NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN share_weight REAL NOT NULL DEFAULT 1 CHECK (share_weight > 0);
ALTER TABLE requests ADD COLUMN cost_estimate REAL NOT NULL DEFAULT 0;

CREATE TABLE fair_clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  virtual_time REAL NOT NULL
) STRICT;

CREATE TABLE fair_finishes (
  user_id TEXT NOT NULL PRIMARY KEY,
  finish REAL NOT NULL
) STRICT, WITHOUT ROWID;
`
