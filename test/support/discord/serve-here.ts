import { DiscordServer } from './discord-server.ts'
import { DEFAULT_TOKEN, type DiscordServerOptions } from './options.ts'
import { ControlClient, serveControl } from './remote-control.ts'
import type { DiscordServerHandle } from './start-discord-server.ts'

/** The server of `startDiscordServer` in this thread: starts at once, for tests that block nothing. */
export async function serveHere(options: DiscordServerOptions = {}): Promise<DiscordServerHandle> {
  const server = new DiscordServer(options)
  const serve = serveControl(server, (reply) => control.receive(structuredClone(reply)))
  const control = new ControlClient((request) => void serve(structuredClone(request)))
  const apiUrl = await server.listen()
  let closing: Promise<void> | null = null
  const close = () => (closing ??= server.close())
  return { ...control.methods(), apiUrl, token: options.token ?? DEFAULT_TOKEN, close }
}
