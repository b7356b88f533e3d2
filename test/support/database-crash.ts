import { createDatabaseApi } from '#database/database-api.ts'
import { openDatabase } from '#database/open-database.ts'
import { requestOf, turnOf } from './stored-requests.ts'

/** A process that accepts two requests and answers the first, telling each write that was acknowledged. */
const database = openDatabase(process.argv[2] ?? '')
const api = createDatabaseApi(database.connection, () => database.close())
const tell = (message: string): Promise<void> =>
  new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()))

for (const id of ['a', 'b']) {
  await api.acceptRequest(requestOf(id))
  await tell(id)
}
await api.saveTurn(turnOf(requestOf('a'), { messages: ['answer'] }))
await tell('answered')
await api.close()
process.disconnect()
