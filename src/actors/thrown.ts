import { transferHandlers } from 'comlink'
import { ERROR_CODES, ParleyError } from '#domain/errors.ts'

/** Causes deeper than this are left behind; it also ends a chain that leads back to itself. */
const MAX_CAUSE_DEPTH = 5

interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | number | undefined
  readonly cause: WireThrown | undefined
}

/** Something thrown, as plain values that can cross a port. */
export type WireThrown =
  | { readonly isError: true; readonly value: WireError }
  /** No error was thrown: a plain value as it is, anything else as its text. */
  | { readonly isError: false; readonly value: unknown }

/** Turns something thrown into plain values, with its code and its causes. */
export function packThrown(thrown: unknown, depth = 0): WireThrown {
  if (!(thrown instanceof Error)) return { isError: false, value: isPlain(thrown) ? thrown : String(thrown) }
  const { name, message, stack, cause } = thrown
  const code = 'code' in thrown ? thrown.code : undefined
  return {
    isError: true,
    value: {
      name: String(name),
      message: String(message),
      stack: typeof stack === 'string' ? stack : undefined,
      code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
      cause: cause === undefined || depth === MAX_CAUSE_DEPTH ? undefined : packThrown(cause, depth + 1),
    },
  }
}

/** Builds the thrown value again; one of our errors is a ParleyError on this side too. */
function unpackThrown(thrown: WireThrown): unknown {
  return thrown.isError ? buildError(thrown.value) : thrown.value
}

function buildError({ name, message, stack, code, cause }: WireError): Error {
  const options = cause === undefined ? undefined : { cause: unpackThrown(cause) }
  const ownCode = name === 'ParleyError' ? ERROR_CODES.find((known) => known === code) : undefined
  const error = ownCode === undefined ? new Error(message, options) : new ParleyError(ownCode, message, options)
  if (ownCode === undefined) {
    define(error, 'name', name)
    if (code !== undefined) define(error, 'code', code)
  }
  define(error, 'stack', stack ?? `${name}: ${message}`)
  return error
}

function define(error: Error, property: string, value: unknown): void {
  Object.defineProperty(error, property, { value, writable: true, configurable: true, enumerable: property === 'code' })
}

function isPlain(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
}

/** Makes Comlink carry code and cause of errors, which its own handler drops. Done once, for the whole thread. */
function replaceThrowHandler(): void {
  const original = transferHandlers.get('throw')
  if (original === undefined) throw new Error('This Comlink has no handler for thrown values.')
  transferHandlers.set('throw', {
    canHandle: original.canHandle.bind(original),
    serialize: (marked) => [packThrown((marked as { value: unknown }).value), []],
    deserialize: (thrown) => {
      throw unpackThrown(thrown as WireThrown)
    },
  })
}

replaceThrowHandler()
