import { type Client, type CloseEvent, Events } from 'discord.js'
import type { Clock } from '#actors/clock.ts'
import { ParleyError } from '#domain/errors.ts'
import { inTime } from './in-time.ts'
import { readLoginProblem } from './login-problem.ts'

/** discord.js itself would try to reach a gateway that does not answer for ever. */
const LOGIN_TIMEOUT_MS = 60_000

/**
 * Connects to Discord; rejects with a `DISCORD_…` error that says what to do.
 *
 * @param stopped ends the wait when it resolves.
 * @returns whether the client is connected; when it is not, it will be destroyed.
 */
export async function logIn(client: Client, token: string, clock: Clock, stopped: Promise<void>): Promise<boolean> {
  const ready = new Promise<void>((resolve) => client.once(Events.ClientReady, () => resolve()))
  const login = Promise.all([client.login(token), ready])
  // What the gateway refuses, the login tells without the reason, if at all.
  const refused = Promise.withResolvers<never>()
  const onDisconnect = ({ code }: CloseEvent) => refused.reject(readLoginProblem({ code }))
  client.once(Events.ShardDisconnect, onDisconnect)
  let ended: boolean
  try {
    ended = await inTime(Promise.race([login, refused.promise, stopped]), clock, LOGIN_TIMEOUT_MS)
  } catch (error) {
    await client.destroy()
    throw error instanceof ParleyError ? error : readLoginProblem(error)
  } finally {
    client.off(Events.ShardDisconnect, onDisconnect)
  }
  if (client.isReady()) return true
  // A client that is destroyed while it logs in would connect all the same.
  void login.then(() => client.destroy()).catch(() => undefined)
  if (ended) return false
  throw readLoginProblem(new Error('it did not answer'))
}
