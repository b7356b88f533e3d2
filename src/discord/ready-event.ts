import { z } from 'zod'

const withId = z.object({ id: z.string() })

const ready = z.object({ user: withId, application: withId })

/** Reads who the bot is from the payload of a READY; undefined when it is not one. */
export function readReadyEvent(
  payload: unknown,
): { readonly botId: string; readonly applicationId: string } | undefined {
  const { data: event } = ready.safeParse(payload)
  return event && { botId: event.user.id, applicationId: event.application.id }
}
