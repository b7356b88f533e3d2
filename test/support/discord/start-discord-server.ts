import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { DEFAULT_TOKEN, type DiscordServerOptions } from './options.ts'
import { ControlClient, type ControlReply, type ControlRequest, type RemoteControl } from './remote-control.ts'

/** A running server: its methods, where it is, and its end. */
export type DiscordServerHandle = RemoteControl & {
  /** For `rest.api` of a client, like `http://127.0.0.1:1234/api`. */
  readonly apiUrl: string
  readonly token: string
  /** Ends the server; afterwards no thread, port or timer of it is left. Calling it again does nothing. */
  readonly close: () => Promise<void>
}

const DIED = 'The thread of the Discord server ended before it listened.'

/** Starts a Discord server in a thread of its own; rejects when it cannot listen. */
export async function startDiscordServer(options: DiscordServerOptions = {}): Promise<DiscordServerHandle> {
  const worker = new Worker(new URL('./server-thread.ts', import.meta.url), { workerData: options, execArgv: [] })
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const client = new ControlClient((request: ControlRequest) => worker.postMessage(request))
  let failure: Error | null = null
  worker.on('error', (error: Error) => {
    failure = error
  })
  void exited.then(() => client.end(failure ?? new Error('The Discord server has been closed.')))
  const apiUrl = await Promise.race([listening(worker), exited.then(() => Promise.reject(failure ?? new Error(DIED)))])
  worker.on('message', (reply: ControlReply) => client.receive(reply))
  let closing: Promise<void> | null = null
  const close = async () => {
    worker.postMessage({ type: 'close' } satisfies ControlRequest)
    await exited
    if (failure) throw failure
  }
  return {
    ...client.methods(),
    apiUrl,
    token: options.token ?? DEFAULT_TOKEN,
    close: () => (closing ??= close()),
  }
}

async function listening(worker: Worker): Promise<string> {
  const [reply] = (await once(worker, 'message')) as [ControlReply]
  if (reply.type === 'listening') return reply.apiUrl
  await worker.terminate()
  throw new Error(reply.type === 'failed' ? reply.message : 'The Discord server did not start.')
}
