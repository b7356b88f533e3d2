import { readButtons } from '#discord/card-buttons.ts'
import type { KnownRequest } from '#protocol/database.ts'
import { startWithUser, WAIT_MS } from './discord-room.ts'
import { activeFacts, type ScriptedRequest } from './scripted-queue.ts'

type Options = Parameters<typeof startWithUser>

/** A user with a direct channel who can press the buttons that are there. */
export async function startWithButtons(...options: Options) {
  const room = await startWithUser(...options)
  const { server, channelId, userId, queue, ledger, clock } = room
  /** The actions of the buttons of the newest message that contains a text. */
  const buttons = async (text: string) => {
    const { components } = await room.see(text)
    return idsIn(components).map((id) => id.split(':')[1])
  }
  /** Resolves once a message shows exactly these buttons. */
  const press = async (text: string, action: string, by = userId) => {
    const { id: messageId, components } = await room.see(text)
    const customId = idsIn(components).find((id) => id.split(':')[1] === action)
    if (customId === undefined) throw new Error(`expected a button ${action} below: ${text}`)
    const started = await server.pressButton({ userId: by, messageId, customId })
    return { messageId, customId, ...started }
  }
  /** Resolves once the bot has whispered a text. */
  const whisper = (text: string) =>
    clock.passUntil(server.waitFor({ type: 'message', channelId, ephemeral: true, contentIncludes: text }, WAIT_MS))
  /** Says that the queue has this request at work, or in line. */
  const isActive = ({ id, request }: ScriptedRequest, { waiting = false } = {}) =>
    queue.actives.set(request.userId, activeFacts({ requestId: id, channelId: request.channelId, waiting }))
  /** What the file says of a request. */
  const isStored = (asked: ScriptedRequest, status: KnownRequest['status'], fields: Partial<KnownRequest> = {}) =>
    ledger.known.set(asked.id, { request: asked.stored(), status, isNewestTurn: status === 'COMPLETED', ...fields })
  /** Resolves once a call was made and answered. */
  const called = (method: string, route: string, count = 1) =>
    clock.passUntil(server.waitFor({ type: 'calls', method, route, count }, WAIT_MS))
  return { ...room, buttons, press, whisper, isActive, isStored, called }
}

function idsIn(components: unknown): string[] {
  return readButtons(components)
    .split(' ')
    .filter((id) => id !== '')
}
