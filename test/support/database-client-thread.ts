import { parentPort, workerData } from 'node:worker_threads'
import { connectToDatabase } from '#database/database-client.ts'
import { requestOf, turnOf } from './stored-requests.ts'

/** A thread like those of the pool: it reaches the database by a port of its own. */
// Waiting for another thread to take a message keeps no thread alive; those of the pool are, by Piscina.
const alive = setInterval(() => undefined, 60_000)
const { databaseThreadId }: { databaseThreadId: number } = workerData
const { api, close } = await connectToDatabase(databaseThreadId, { callTimeoutMs: 10_000 })
const request = requestOf('from a thread')
const written = await api.saveTurn(turnOf(request))
const history = await api.history(request, 10)
close()
clearInterval(alive)
parentPort?.postMessage({ written, contents: history.map((message) => message.content) })
