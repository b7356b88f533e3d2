/** Of a direct message in a server's conversation, the name of that server when it was asked. */
export const DIRECT_SERVERS_SCHEMA = `
ALTER TABLE requests ADD COLUMN direct_server_name TEXT;
`
