import { z } from 'zod'
import { formatDuration, parseDuration } from './duration.ts'

// In this file every error text is what the setting expects, so that a problem reads "expected …, got …".

/** Node's timers end at 2^31 − 1 ms and fire at once beyond it. */
const LONGEST_MS = 24 * 86_400_000

/** A whole number; texts of digits count, so that environment variables can give it. */
export function wholeNumber(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`
  return z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value),
    z.int(error).min(min, error).max(max, error),
  )
}

/** A number that need not be whole; texts of digits count. */
export function decimalNumber(min: number, max: number) {
  const error = `a number from ${min} to ${max}`
  return z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value),
    z.number(error).min(min, error).max(max, error),
  )
}

/** A duration with its unit, in ms once read; what no timer has to wait for may be longer than those can. */
export function duration(minMs: number, maxMs: number = LONGEST_MS) {
  return z.unknown().transform((value, context) => {
    const durationMs = parseDuration(value)
    if (durationMs !== undefined && durationMs >= minMs && durationMs <= maxMs) return durationMs
    context.addIssue({ code: 'custom', message: expectedDuration(value, durationMs, [minMs, maxMs]) })
    return z.NEVER
  })
}

function expectedDuration(value: unknown, durationMs: number | undefined, range: readonly [number, number]): string {
  if (durationMs !== undefined) return `a duration from ${range.map(formatDuration).join(' to ')}`
  const amount = /^\d+(\.\d+)?$/.exec(String(value))?.[0]
  if (amount === undefined) return 'a duration such as 300s or 5m'
  return `a duration with its unit, such as ${amount}ms, ${amount}s or ${amount}m`
}

/** Text with at least one visible character. */
export function text(what: string) {
  return z.string(what).regex(/\S/, what)
}

/** A secret; white space around it is not part of it. */
export function secret(what: string) {
  const error = `${what} without spaces in it`
  return z
    .string(error)
    .trim()
    .regex(/^[\x21-\x7e]+$/, error)
}

/** An http or https address, without a slash at its end. */
export function webAddress() {
  const error = 'a web address such as https://example.com/v1, without a user name'
  return z
    .string(error)
    .refine(isWebAddress, error)
    .transform((address) => address.replace(/\/+$/, ''))
}

function isWebAddress(value: string): boolean {
  const url = URL.parse(value)
  // fetch refuses addresses that carry a user name or a password.
  return (
    url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && !/\s/.test(value)
  )
}

/**
 * Places in the web, as origins: names of hosts, which mean https, or addresses without a path. A text of them with
 * commas between them counts.
 */
export function webOrigins() {
  return z.unknown().transform((value, context): readonly string[] => {
    const places = typeof value === 'string' ? value.split(',').map((place) => place.trim()) : value
    const origins = Array.isArray(places) ? places.map(originOf) : [undefined]
    const known = origins.filter((origin) => origin !== undefined)
    if (known.length === origins.length) return Object.freeze(known)
    context.addIssue({ code: 'custom', message: 'a list of hosts, such as [cdn.discordapp.com]' })
    return z.NEVER
  })
}

function originOf(place: unknown): string | undefined {
  if (typeof place !== 'string') return undefined
  const address = place.includes('://') ? place : `https://${place}`
  const url = URL.parse(address)
  const isOrigin = url !== null && isWebAddress(address) && url.pathname === '/' && url.search + url.hash === ''
  return isOrigin ? url.origin : undefined
}

/** Discord ids; a text of ids with commas between them counts, so that environment variables can give it. */
export function discordIds() {
  return z.unknown().transform((value, context): readonly string[] => {
    const ids = typeof value === 'string' ? value.split(',').map((id) => id.trim()) : value
    if (Array.isArray(ids) && ids.every(isDiscordId)) return Object.freeze(ids)
    // A number that long has lost its last digits before anybody could look at it.
    context.addIssue({ code: 'custom', message: "a list of Discord ids in quotes, such as ['80351110224678912']" })
    return z.NEVER
  })
}

function isDiscordId(value: unknown): boolean {
  return typeof value === 'string' && /^\d{15,20}$/.test(value)
}

/** Names, none twice; a text of names with commas between them counts, so that environment variables can give it. */
export function names(what: string, most: number, longest: number) {
  const isName = (value: unknown) => typeof value === 'string' && /\S/.test(value) && value.length <= longest
  return z.unknown().transform((value, context): readonly string[] => {
    const list = typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value
    if (Array.isArray(list) && list.every(isName) && new Set(list).size <= most)
      return Object.freeze([...new Set(list)])
    context.addIssue({
      code: 'custom',
      message: `a list of at most ${most} ${what}, each of at most ${longest} characters`,
    })
    return z.NEVER
  })
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, `one of ${words.join(', ')}`)
}
