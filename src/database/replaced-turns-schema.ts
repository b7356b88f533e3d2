/** The request whose turn a request takes the place of. No foreign key: retention deletes the older one first. */
export const REPLACED_TURNS_SCHEMA = `
ALTER TABLE requests ADD COLUMN replaces TEXT;
`
