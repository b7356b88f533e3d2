/** Whether pictures are sent to the model: `auto` where it is known that it can see. */
export type Vision = 'auto' | 'always' | 'never'

/**
 * Tells whether the model is given pictures. What OpenAI itself offers can see; of other servers nobody knows, and one
 * that cannot refuses the whole question. The offline model sees nothing.
 */
export function seesImages(model: {
  readonly vision: Vision
  readonly apiKey: string | null
  readonly baseUrl: string | null
}): boolean {
  if (model.vision !== 'auto') return model.vision === 'always'
  return Boolean(model.apiKey) && !model.baseUrl
}

/** Why a picture was not used, in words that stand after its name. */
export const NOT_SEEN = 'this model cannot look at pictures'
