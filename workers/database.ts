import { parentPort, workerData } from 'node:worker_threads'
import { createThreadLog } from '#actors/thread-log.ts'
import { runDatabaseThread } from '#database/database-thread.ts'
import type { DatabaseThreadData } from '#protocol/database.ts'

if (parentPort === null) throw new Error('workers/database.ts runs as a worker thread of Parley only.')
// Checked by the types of the actor that starts this thread.
const threadData: DatabaseThreadData = workerData
const log = createThreadLog({ level: threadData.logLevel, pretty: threadData.logPretty, name: 'database' })
runDatabaseThread(threadData, parentPort, log)
