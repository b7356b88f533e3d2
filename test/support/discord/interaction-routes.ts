import { invalidForm, refusal } from './api-error.ts'
import { type Attachment, currentRevision, type Message } from './entities.ts'
import { FormErrors } from './form-errors.ts'
import type { Interaction, Interactions } from './interactions.ts'
import { isObject, type JsonObject, objectsIn } from './json.ts'
import { EPHEMERAL, type MessageParts, NOTHING, partsOf, readDraft, readEdit } from './message-draft.ts'
import { type ApiResponse, bodyOf, NO_CONTENT, ok, param, type Route, type RoutedRequest } from './route.ts'
import type { Wire } from './wire.ts'
import type { World } from './world.ts'

const CALLBACK = { message: 4, deferredMessage: 5, deferredUpdate: 6, update: 7, autocomplete: 8, modal: 9 } as const
const CHAT_INPUT_ANSWER = 20

interface InteractionRoutesOptions {
  readonly world: World
  readonly wire: Wire
  readonly interactions: Interactions
}

/** Answering interactions: the callback, and the webhook of its token. */
export function interactionRoutes({ world, wire, interactions }: InteractionRoutesOptions): Route[] {
  const answers = new Answers(world)
  const callback = (request: RoutedRequest): ApiResponse => {
    const { type, data }: { readonly type?: unknown; readonly data?: unknown } = bodyOf(request)
    const form = isObject(data) ? data : {}
    const prepared = prepare(type, form, request.attachments)
    const interaction = interactions.acknowledge(param(request, 'interactionId'), param(request, 'token'))
    const { choices }: { readonly choices?: unknown } = form
    if (Array.isArray(choices)) interaction.choices = choices
    const message = answers.acknowledge(interaction, prepared)
    if (request.query.get('with_response') !== 'true') return NO_CONTENT
    return ok(withResponse(interaction, type, message, wire))
  }
  const interactionOf = (request: RoutedRequest): Interaction => {
    if (param(request, 'applicationId') !== world.botUser.id) throw refusal('unknownWebhook')
    return interactions.forWebhook(param(request, 'token'))
  }
  const messageOf = (request: RoutedRequest): Message =>
    answers.find(interactionOf(request), param(request, 'messageId'))
  const followUp = (request: RoutedRequest): ApiResponse => {
    const interaction = interactionOf(request)
    const parts = readDraft(bodyOf(request), request.attachments)
    return ok(wire.message(answers.followUp(interaction, parts, isEphemeral(bodyOf(request)))))
  }
  const edit = (request: RoutedRequest): ApiResponse => {
    const message = messageOf(request)
    world.editMessage(message, readEdit(bodyOf(request), currentRevision(message), request.attachments))
    return ok(wire.message(message))
  }
  const remove = (request: RoutedRequest): ApiResponse => {
    world.deleteMessage(messageOf(request))
    return NO_CONTENT
  }
  const webhook = { auth: 'token', limit: 'webhook' } as const
  const message = '/webhooks/:applicationId/:token/messages/:messageId'
  return [
    {
      method: 'POST',
      pattern: '/interactions/:interactionId/:token/callback',
      auth: 'token',
      limit: null,
      handle: callback,
    },
    { ...webhook, method: 'POST', pattern: '/webhooks/:applicationId/:token', handle: followUp },
    { ...webhook, method: 'GET', pattern: message, handle: (request) => ok(wire.message(messageOf(request))) },
    { ...webhook, method: 'PATCH', pattern: message, handle: edit },
    { ...webhook, method: 'DELETE', pattern: message, handle: remove },
  ]
}

interface Prepared {
  readonly type: number
  readonly ephemeral: boolean
  readonly form: JsonObject
  readonly parts: MessageParts | null
  readonly attachments: readonly Attachment[]
}

/** Checks a callback before the interaction counts as acknowledged. */
function prepare(type: unknown, form: JsonObject, attachments: readonly Attachment[]): Prepared {
  const known = Object.values(CALLBACK).find((value) => value === type)
  if (known === undefined) {
    const message = `Value must be one of (${Object.values(CALLBACK).join(', ')}).`
    throw invalidForm({ type: { _errors: [{ code: 'BASE_TYPE_CHOICES', message }] } })
  }
  if (type === CALLBACK.autocomplete) checkChoices(form)
  const parts = known === CALLBACK.message ? readDraft(form, attachments) : null
  return { type: known, ephemeral: isEphemeral(form), form, parts, attachments }
}

/** Discord shows at most 25 choices, of 100 characters each. */
function checkChoices({ choices }: { readonly choices?: unknown }): void {
  const errors = new FormErrors()
  if (!Array.isArray(choices)) errors.add('data.choices', 'BASE_TYPE_REQUIRED', 'This field is required')
  errors.list('data.choices', choices, 25)
  for (const [index, { name, value }] of objectsIn(choices).entries()) {
    errors.text(`data.choices.${index}.name`, name, 100, 1)
    errors.text(`data.choices.${index}.value`, value, 100)
  }
  errors.check()
}

function isEphemeral({ flags }: { readonly flags?: unknown }): boolean {
  return typeof flags === 'number' && (flags & EPHEMERAL) !== 0
}

/** Writes the bot's answers to interactions. */
class Answers {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** Does what a callback asks for; returns the message it concerns. */
  acknowledge(interaction: Interaction, callback: Prepared): Message | null {
    const { source } = interaction
    if (callback.parts) {
      interaction.original = this.#create(interaction, callback.parts, callback.ephemeral, false)
    } else if (callback.type === CALLBACK.deferredMessage) {
      interaction.original = this.#create(interaction, NOTHING, callback.ephemeral, true)
    } else if (source !== null) {
      interaction.original = source
      if (callback.type === CALLBACK.update) {
        this.#world.editMessage(source, readEdit(callback.form, currentRevision(source), callback.attachments))
      }
    }
    return interaction.original
  }

  /** The first follow-up of a deferred answer fills that answer, as Discord does it. */
  followUp(interaction: Interaction, parts: MessageParts, ephemeral: boolean): Message {
    const { original } = interaction
    if (original?.loading && original.deleted) throw refusal('unknownMessage')
    if (!original?.loading) return this.#create(interaction, parts, ephemeral, false)
    this.#world.editMessage(original, parts)
    return original
  }

  /** The message `@original` or an id stands for. */
  find(interaction: Interaction, id: string): Message {
    const message = id === '@original' ? interaction.original : this.#world.findMessage(id)
    const own = message === interaction.original || message?.origin?.interactionId === interaction.id
    if (!message || message.deleted || !own) throw refusal('unknownMessage')
    return message
  }

  #create(interaction: Interaction, parts: MessageParts, ephemeral: boolean, loading: boolean): Message {
    const { id, type, user, channel, commandName, source } = interaction
    return this.#world.createMessage({
      channel,
      author: this.#world.botUser,
      type: interaction.original === null && type === 2 ? CHAT_INPUT_ANSWER : 0,
      webhookId: this.#world.botUser.id,
      origin: {
        interactionId: id,
        interactionType: type,
        commandName,
        userId: user.id,
        sourceMessageId: source?.id ?? null,
      },
      ephemeral,
      loading,
      parts: partsOf(parts),
    })
  }
}

function withResponse(interaction: Interaction, type: unknown, message: Message | null, wire: Wire): JsonObject {
  const { id, type: interactionType } = interaction
  if (message === null) return { interaction: { id, type: interactionType }, resource: { type } }
  return {
    interaction: {
      id,
      type: interactionType,
      response_message_id: message.id,
      response_message_loading: message.loading,
      response_message_ephemeral: message.ephemeral,
    },
    resource: { type, message: wire.message(message) },
  }
}
