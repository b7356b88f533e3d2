import type { FormErrors } from './form-errors.ts'
import { isObject, type JsonObject, lengthOf, objectsIn } from './json.ts'

const MAX_EMBEDS = 10
const MAX_FIELDS = 25
const MAX_TOTAL_CHARACTERS = 6_000

interface EmbedForm {
  readonly title?: unknown
  readonly description?: unknown
  readonly fields?: unknown
  readonly footer?: unknown
  readonly author?: unknown
}

interface EmbedPart {
  readonly name?: unknown
  readonly value?: unknown
  readonly text?: unknown
}

/** Checks embeds against Discord's documented sizes. */
export function checkEmbeds(embeds: unknown, errors: FormErrors): void {
  errors.list('embeds', embeds, MAX_EMBEDS)
  let total = 0
  for (const [index, embed] of objectsIn(embeds).entries()) {
    for (const [path, text, maximum, minimum] of textsOf(embed, `embeds.${index}`)) {
      errors.text(path, text, maximum, minimum)
      total += typeof text === 'string' ? lengthOf(text) : 0
    }
    errors.list(`embeds.${index}.fields`, (embed as EmbedForm).fields, MAX_FIELDS)
  }
  if (total > MAX_TOTAL_CHARACTERS) {
    errors.add('embeds', 'MAX_EMBED_SIZE_EXCEEDED', `Embed size exceeds maximum size of ${MAX_TOTAL_CHARACTERS}`)
  }
}

type SizedText = readonly [path: string, text: unknown, maximum: number, minimum: number]

function textsOf(embed: JsonObject, path: string): SizedText[] {
  const { title, description, fields, footer, author }: EmbedForm = embed
  const footerPart: EmbedPart = isObject(footer) ? footer : {}
  const authorPart: EmbedPart = isObject(author) ? author : {}
  return [
    [`${path}.title`, title, 256, 0],
    [`${path}.description`, description, 4_096, 0],
    [`${path}.footer.text`, footerPart.text, 2_048, 0],
    [`${path}.author.name`, authorPart.name, 256, 0],
    ...objectsIn(fields).flatMap((field, index) => fieldTexts(field, `${path}.fields.${index}`)),
  ]
}

function fieldTexts(field: EmbedPart, path: string): SizedText[] {
  return [
    [`${path}.name`, field.name, 256, 1],
    [`${path}.value`, field.value, 1_024, 1],
  ]
}
