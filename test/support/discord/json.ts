/** Any JSON object, before its fields are known. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Tells an object from everything else JSON can be. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The objects of an array; nothing when it is none. */
export function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** The texts of an array; nothing when it is none. */
export function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** A text's length as Discord counts it: in code points. */
export function lengthOf(text: string): number {
  return Array.from(text).length
}
