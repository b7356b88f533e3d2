import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'

/** Never rejects: one message that cannot be dealt with must not take the connection down. */
export async function guarded(work: Promise<unknown>, log: Log): Promise<void> {
  try {
    await work
  } catch (error) {
    log.error({ error: errorMessage(error) }, 'a message from Discord could not be dealt with')
  }
}
