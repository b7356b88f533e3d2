import { once } from 'node:events'
import { silentLog } from '#actors/log.ts'
import { startDatabase } from '#database/database-actor.ts'
import { startAssistantPool } from './assistant-pool.ts'
import { RecordedRun } from './recorded-run.ts'
import { requestOf } from './stored-requests.ts'

/**
 * The main thread of a process of its own: what pool threads log goes to the standard error of the process. Asks each
 * message of the command line as one user; the last but one as an attempt that is out of date, the last one without a
 * database. Writes the outcomes to standard output.
 */
const [path = '', baseUrl = '', apiKey = '', ...messages] = process.argv.slice(2)
const database = await startDatabase({
  path,
  logLevel: 'silent',
  logPretty: false,
  callTimeoutMs: 10_000,
  errorRecoveryDelayMs: 1000,
  log: silentLog,
  onGivenUp: (error) => {
    throw error
  },
})
const pool = await startAssistantPool({
  databaseThread: database.threadCell,
  model: { baseUrl, apiKey },
  thread: { logLevel: 'trace', contextTokens: 100 },
})
for (const [index, message] of messages.entries()) {
  const request = requestOf(`request ${index}`, { userId: 'ann', message })
  if (index === messages.length - 2) {
    await database.api.acceptRequest(request)
    await database.api.startRequest(request.id, 2, Date.now())
  }
  if (index === messages.length - 1) await database.stop()
  const outcome = await new RecordedRun(pool, request).outcome
  if (!process.stdout.write(`${JSON.stringify(outcome)}\n`)) await once(process.stdout, 'drain')
}
await pool.stop()
