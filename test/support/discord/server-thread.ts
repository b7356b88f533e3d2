import { parentPort, workerData } from 'node:worker_threads'
import { DiscordServer } from './discord-server.ts'
import type { DiscordServerOptions } from './options.ts'
import { type ControlReply, type ControlRequest, serveControl } from './remote-control.ts'

const port = parentPort
if (!port) throw new Error('This file is the entry of a worker thread.')
const post = (reply: ControlReply) => port.postMessage(reply)

// The handle that starts this thread is the only one who sets its options.
const server = new DiscordServer(workerData as DiscordServerOptions)
const serve = serveControl(server, post)

port.on('message', (request: ControlRequest) => {
  void serve(request).then(() => {
    if (request.type === 'close') port.close()
  })
})

server.listen().then(
  (apiUrl) => post({ type: 'listening', apiUrl }),
  (error: unknown) => post({ type: 'failed', message: String(error) }),
)
