import { invalidForm } from './api-error.ts'
import type { Attachment } from './entities.ts'
import { isObject, type JsonObject } from './json.ts'
import type { LimitName } from './options.ts'
import { isSnowflake } from './snowflake.ts'

/** A REST call that was read. */
export interface ApiRequest {
  readonly method: string
  /** Without `/api/v10` and query, still encoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
  readonly attachments: readonly Attachment[]
  readonly authorization: string | undefined
}

/** A call under its route, the parameters decoded. */
export interface RoutedRequest extends ApiRequest {
  readonly params: ReadonlyMap<string, string>
}

/** What a call is answered with; without a body it is a 204. */
export interface ApiResponse {
  readonly status: 200 | 201 | 204
  readonly body?: unknown
}

export interface Route {
  readonly method: string
  readonly pattern: string
  /** `token`: the path carries its own, no Authorization is needed and the global limit does not count it. */
  readonly auth: 'bot' | 'token'
  readonly limit: LimitName | null
  readonly handle: (request: RoutedRequest) => ApiResponse
}

export const NO_CONTENT: ApiResponse = { status: 204 }

/** A call with a body to answer with. */
export function ok(body: unknown): ApiResponse {
  return { status: 200, body }
}

/** The parameter of a route's pattern. */
export function param(request: RoutedRequest, name: string): string {
  const value = request.params.get(name)
  if (value === undefined) throw new Error(`The route has no parameter ${name}.`)
  return value
}

/** The body as an object; everything else is read as an empty one. */
export function bodyOf(request: ApiRequest): JsonObject {
  return isObject(request.body) ? request.body : {}
}

/** The parameters of a path under a pattern; undefined when it does not match. */
export function matchPath(pattern: string, path: string): Map<string, string> | undefined {
  const expected = pattern.split('/')
  const actual = path.split('/')
  if (expected.length !== actual.length) return undefined
  const params = new Map<string, string>()
  for (const [index, part] of expected.entries()) {
    const value = decoded(actual[index] ?? '')
    if (part.startsWith(':')) params.set(part.slice(1), value)
    else if (part !== value) return undefined
  }
  return params
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Refuses parameters that should be ids and are none. */
export function checkIds(params: ReadonlyMap<string, string>): void {
  for (const [name, value] of params) {
    if (!name.endsWith('Id') || isSnowflake(value) || value.startsWith('@')) continue
    const key = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    throw invalidForm({
      [key]: { _errors: [{ code: 'NUMBER_TYPE_COERCE', message: `Value "${value}" is not snowflake.` }] },
    })
  }
}
