import type { MessagePort } from 'node:worker_threads'
import type { OpenAiServer } from './openai-server.ts'
import type { OpenAiServerOptions, Script } from './script.ts'

/** What the handle asks of the server's thread. */
export type ControlCall =
  | { readonly method: 'script'; readonly scripts: readonly Script[] }
  | { readonly method: 'setDefault'; readonly script: Script }
  | { readonly method: 'waitForRequests' | 'waitForAborted'; readonly count: number }
  | { readonly method: 'requests' | 'release' | 'reset' | 'stats' | 'close' }

export interface NumberedCall {
  readonly id: number
  readonly call: ControlCall
}

export type ControlReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }

/** Given to the server's thread as workerData; the port is its control. */
export interface OpenAiThreadData {
  readonly port: MessagePort
  readonly options: OpenAiServerOptions
}

/** Runs one call on the server. */
export function perform(server: OpenAiServer, call: ControlCall): unknown {
  switch (call.method) {
    case 'script':
      return server.script(...call.scripts)
    case 'setDefault':
      return server.setDefault(call.script)
    case 'waitForRequests':
      return server.waitForRequests(call.count)
    case 'waitForAborted':
      return server.waitForAborted(call.count)
    case 'requests':
      return server.requests()
    case 'release':
      return server.release()
    case 'reset':
      return server.reset()
    case 'stats':
      return server.stats()
    case 'close':
      return server.close()
    default:
      return call satisfies never
  }
}
