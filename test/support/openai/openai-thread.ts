import { workerData } from 'node:worker_threads'
import { type ControlReply, type NumberedCall, type OpenAiThreadData, perform } from './control.ts'
import { OpenAiServer } from './openai-server.ts'

const { port, options } = workerData as OpenAiThreadData
const server = new OpenAiServer(options)

port.on('message', ({ id, call }: NumberedCall) => void answer(id, call))
port.postMessage({ id: 0, result: await server.listen() } satisfies ControlReply)

async function answer(id: number, call: NumberedCall['call']): Promise<void> {
  try {
    port.postMessage({ id, result: await perform(server, call) } satisfies ControlReply)
  } catch (error) {
    port.postMessage({ id, error: String(error) } satisfies ControlReply)
  }
  if (call.method === 'close') port.close()
}
