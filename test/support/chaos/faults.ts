import type { FaultRule } from '#support/discord/faults.ts'
import type { Script } from '#support/openai/script.ts'
import type { ParleyProcess } from '#support/parley-process.ts'
import type { CrashWorld } from './crash-world.ts'
import type { SeededRandom } from './random.ts'
import type { Sabotage } from './saboteur.ts'

interface Scene {
  readonly world: CrashWorld
  readonly random: SeededRandom
  readonly parley: ParleyProcess
}

/** Something that goes wrong around Parley, or inside it. */
export interface Fault {
  readonly name: string
  readonly strike: (scene: Scene) => Promise<void>
}

/** Everything that can go wrong in the chaos test. */
export const FAULTS: readonly Fault[] = [
  model('model 429', { type: 'error', status: 429, headers: { 'retry-after': '0' } }),
  model('model 500', { type: 'error', status: 500 }),
  model('model cut', { type: 'cut', afterChunks: 2 }),
  model('model silent', { type: 'silent', afterChunks: 2 }),
  model('model hangs', { type: 'hang' }),
  calls('Discord 429', { status: 429, retryAfterSeconds: 0.05 }),
  calls('Discord 500', { status: 500 }),
  calls('Discord takes a message and says nothing', { status: 'dropAfter' }),
  discord('Discord disconnects', ({ world }) => world.discord.closeGateway()),
  discord('Discord asks to reconnect', ({ world }) => world.discord.requestReconnect()),
  discord('Discord ends the session', ({ world }) => world.discord.invalidateSession(false)),
  thread('pool thread killed', { victim: 'assistant', how: 'exit' }),
  thread('pool thread out of memory', { victim: 'assistant', how: 'exhaust' }),
  thread('database thread killed', { victim: 'database', how: 'exit' }),
]

function model(name: string, script: Script): Fault {
  return { name, strike: ({ world, random }) => world.model.script(...Array(random.between(1, 2)).fill(script)) }
}

function calls(name: string, rule: FaultRule): Fault {
  const routes = [
    { method: 'POST', route: '/channels/:id/messages' },
    { method: 'PATCH', route: '/channels/:id/messages/:id' },
  ]
  return { name, strike: ({ world, random }) => world.discord.failNext({ ...random.pick(routes), ...rule }) }
}

function discord(name: string, strike: Fault['strike']): Fault {
  return { name, strike }
}

function thread(name: string, order: Sabotage): Fault {
  return { name, strike: async ({ parley }) => parley.sabotage(order) }
}
