import Database from 'better-sqlite3'

interface RequestRow {
  readonly message: string
  readonly status: string
  readonly errorCode: string | null
}

interface MessageRow {
  readonly role: string
  readonly content: string
  readonly model: string | null
}

/** What a database file holds, read by another connection than Parley's, in the order it came. */
export function storedRows(path: string): { requests: RequestRow[]; messages: MessageRow[] } {
  const reader = new Database(path, { readonly: true, fileMustExist: true })
  try {
    const requests = reader.prepare<[], RequestRow>(
      'SELECT message, status, error_code AS errorCode FROM requests ORDER BY rowid',
    )
    const messages = reader.prepare<[], MessageRow>('SELECT role, content, model FROM messages ORDER BY id')
    return { requests: requests.all(), messages: messages.all() }
  } finally {
    reader.close()
  }
}
