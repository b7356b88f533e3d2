import { describe, expect, it } from 'vitest'
import { ConfigError } from '#config/config-error.ts'
import { ERROR_CODES, ParleyError } from '#domain/errors.ts'
import { EXIT, exitCodeFor } from '#src/exit-codes.ts'

describe('the exit code', () => {
  it.each([
    { error: new ConfigError([]), code: 2 },
    { error: new ParleyError('DATABASE_LOCKED', 'in use'), code: 3 },
    { error: new ParleyError('DATABASE_NOT_A_DATABASE', 'a text'), code: 3 },
    { error: new ParleyError('DATABASE_NEWER_SCHEMA', 'version 99'), code: 3 },
    { error: new ParleyError('DATABASE_NOT_WRITABLE', 'read-only'), code: 3 },
    { error: new ParleyError('DISCORD_LOGIN_REFUSED', 'wrong token'), code: 4 },
    { error: new ParleyError('DISCORD_INTENTS_REFUSED', 'restricted'), code: 4 },
    { error: new ParleyError('DISCORD_UNREACHABLE', 'no network'), code: 4 },
    { error: new ParleyError('RESTART_LIMIT_REACHED', 'keeps dying'), code: 1 },
    { error: new ParleyError('START_FAILED', 'broken'), code: 1 },
    { error: new TypeError('a mistake of ours'), code: 1 },
    { error: Object.assign(new Error('not ours'), { code: 'DATABASE_OF_SOMEBODY' }), code: 1 },
    { error: 'not even an error', code: 1 },
  ])('of "$error" is $code', ({ error, code }) => {
    expect(exitCodeFor(error)).toBe(code)
  })

  it('never says that all is well after an error', () => {
    expect(ERROR_CODES.map((code) => exitCodeFor(new ParleyError(code, 'it broke')))).not.toContain(EXIT.ok)
  })
})
