import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError, formatProblems } from '#config/config-error.ts'
import { describeSettings } from '#config/describe-settings.ts'
import { loadSettings } from '#config/load-settings.ts'

let configDir: string

beforeEach(() => {
  configDir = mkdtempSync(join(tmpdir(), 'parley-config-'))
})

afterEach(() => {
  rmSync(configDir, { recursive: true })
})

function failure(local: string, env: Record<string, string> = {}): ConfigError {
  writeFileSync(join(configDir, 'local.yaml'), local)
  return thrownWith(env)
}

function thrownWith(env: Record<string, string>): ConfigError {
  try {
    loadSettings({ env, configDir })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('The settings were accepted.')
}

/** The problems one a line, with the temporary folder named as the project names its own. */
function lines(error: ConfigError): string[] {
  return formatProblems(error.problems).replaceAll(configDir, 'config').split('\n')
}

const TIERS =
  "queue.tiers: expected a list of tiers, such as [{ name: supporters, weight: 4, roles: ['80351110224678912'], reserved: 5 }]; each has a name of its own in small letters, a weight from 0.01 to 1000, and perhaps users, roles, skus (lists of Discord ids in quotes) and reserved, got a list"

describe('a wrong value', () => {
  test.each([
    ["queue: { tiers: [{ name: gold, weight: 0, users: ['80351110224678912'] }] }", TIERS],
    ['queue: { tiers: [{ name: gold, weight: 2 }] }', TIERS],
    ['queue: { tiers: [{ name: gold, weight: 2, skus: [gold] }] }', TIERS],
    ["queue: { tiers: [{ name: default, weight: 2, skus: ['80351110224678912'] }] }", TIERS],
    ["queue: { tiers: [{ name: default, weight: 2, users: ['80351110224678912'] }] }", TIERS],
    ['queue: { tiers: [{ name: default, weight: 2 }, { name: default, weight: 3 }] }', TIERS],
    [
      'queue: { maxQueueSize: 4, tiers: [{ name: a, weight: 1, skus: ["80351110224678912"], reserved: 5 }] }',
      'queue.tiers: expected tiers that together reserve no more places than queue.maxQueueSize has, got a list',
    ],
    ['pool: { size: many }', 'pool.size: expected a whole number from 1 to 256, got "many"'],
    ['pool: { size: 0 }', 'pool.size: expected a whole number from 1 to 256, got 0'],
    ['pool: { size: 2.5 }', 'pool.size: expected a whole number from 1 to 256, got 2.5'],
    ['pool: { size: [4] }', 'pool.size: expected a whole number from 1 to 256, got a list'],
    ['pool: { concurrency: }', 'pool.concurrency: expected a whole number from 1 to 1024, got nothing'],
    ['pool: { maxHeap: { a: 1 } }', 'pool.maxHeap: expected a whole number from 128 to 65536, got a group of settings'],
    ['model: { temperature: 2.1 }', 'model.temperature: expected a number from 0 to 2, got 2.1'],
    ['model: { temperature: .nan }', 'model.temperature: expected a number from 0 to 2, got NaN'],
    ['model: { name: "  " }', 'model.name: expected the name of a model, got "  "'],
    [
      'model: { allowed: [""] }',
      'model.allowed: expected a list of at most 24 names of models, each of at most 100 characters, got a list',
    ],
    [
      `model: { allowed: [${'x'.repeat(101)}] }`,
      'model.allowed: expected a list of at most 24 names of models, each of at most 100 characters, got a list',
    ],
    [
      `model: { allowed: [${Array.from({ length: 25 }, (_, index) => `m${index}`).join(', ')}] }`,
      'model.allowed: expected a list of at most 24 names of models, each of at most 100 characters, got a list',
    ],
    ['model: { name: 4 }', 'model.name: expected the name of a model, got 4'],
    ['queue: { requestTimeout: -3 }', 'queue.requestTimeout: expected a duration such as 300s or 5m, got -3'],
    ['queue: { requestTimeout: soon }', 'queue.requestTimeout: expected a duration such as 300s or 5m, got "soon"'],
    [
      'queue: { requestTimeout: 300 }',
      'queue.requestTimeout: expected a duration with its unit, such as 300ms, 300s or 300m, got 300',
    ],
    ['queue: { requestTimeout: 0 }', 'queue.requestTimeout: expected a duration from 1ms to 24d, got 0'],
    ['queue: { requestTimeout: 25d }', 'queue.requestTimeout: expected a duration from 1ms to 24d, got "25d"'],
    ['discord: { editInterval: 249ms }', 'discord.editInterval: expected a duration from 250ms to 24d, got "249ms"'],
    [
      'discord: { apiUrl: discord.com }',
      'discord.apiUrl: expected a web address such as https://example.com/v1, without a user name, got "discord.com"',
    ],
    [
      'model: { baseUrl: "ftp://example.com" }',
      'model.baseUrl: expected a web address such as https://example.com/v1, without a user name, got "ftp://example.com"',
    ],
    [
      'model: { baseUrl: "https://me:pass@example.com" }',
      'model.baseUrl: expected a web address such as https://example.com/v1, without a user name, got (hidden)',
    ],
    ['log: { level: loud }', 'log.level: expected one of trace, debug, info, warn, error, fatal, silent, got "loud"'],
    [
      'access: { owners: [80351110224678912] }',
      "access.owners: expected a list of Discord ids in quotes, such as ['80351110224678912'], got a list",
    ],
    [
      'access: { denyUsers: ada }',
      `access.denyUsers: expected a list of Discord ids in quotes, such as ['80351110224678912'], got "ada"`,
    ],
    [
      'attachments: { hosts: [cdn.discordapp.com/attachments] }',
      'attachments.hosts: expected a list of hosts, such as [cdn.discordapp.com], got a list',
    ],
    [
      'attachments: { hosts: ftp://example.com }',
      'attachments.hosts: expected a list of hosts, such as [cdn.discordapp.com], got "ftp://example.com"',
    ],
    ['log: { pretty: true }', 'log.pretty: expected one of auto, always, never, got true'],
    ['discord: { token: 12345 }', 'discord.token: expected a bot token without spaces in it, got (hidden)'],
    ['model: { apiKey: "a b" }', 'model.apiKey: expected an API key without spaces in it, got (hidden)'],
    [`model: { name: ["${'x'.repeat(70)}"] }`, 'model.name: expected the name of a model, got a list'],
    [
      `pool: { size: "${'x'.repeat(70)}\\n" }`,
      `pool.size: expected a whole number from 1 to 256, got "${'x'.repeat(60)}…"`,
    ],
  ])('in a file is named with its file: %s', (local, line) => {
    expect(lines(failure(local))).toEqual([`${line} (from config/local.yaml)`])
  })

  test.each([
    ['PARLEY_POOL_SIZE', 'many', 'pool.size: expected a whole number from 1 to 256, got "many"'],
    ['PARLEY_POOL_SIZE', '4x', 'pool.size: expected a whole number from 1 to 256, got "4x"'],
    ['PARLEY_POOL_SIZE', ' 4', 'pool.size: expected a whole number from 1 to 256, got " 4"'],
    ['PARLEY_POOL_SIZE', '0x4', 'pool.size: expected a whole number from 1 to 256, got "0x4"'],
    ['PARLEY_TEMPERATURE', '1e0', 'model.temperature: expected a number from 0 to 2, got "1e0"'],
    [
      'PARLEY_REQUEST_TIMEOUT',
      '300',
      'queue.requestTimeout: expected a duration with its unit, such as 300ms, 300s or 300m, got "300"',
    ],
    ['OPENAI_API_KEY', 'a\tb', 'model.apiKey: expected an API key without spaces in it, got (hidden)'],
  ])('in the environment is named with its variable: %s=%j', (variable, value, line) => {
    writeFileSync(join(configDir, 'local.yaml'), '{}')
    expect(lines(thrownWith({ [variable]: value }))).toEqual([`${line} (from ${variable})`])
  })

  test('in a layer that is overruled is no problem', () => {
    writeFileSync(join(configDir, 'local.yaml'), 'pool: { size: many }')
    expect(loadSettings({ env: { PARLEY_POOL_SIZE: '2' }, configDir }).pool.size).toBe(2)
  })
})

describe('an unknown key', () => {
  test.each([
    ['queue: { maxQueuSize: 5 }', 'queue.maxQueuSize: expected a known setting, perhaps queue.maxQueueSize'],
    ['queue: { max_queue_size: 5 }', 'queue.max_queue_size: expected a known setting, perhaps queue.maxQueueSize'],
    ['pool: { requestTimeout: 5s }', 'pool.requestTimeout: expected a known setting, perhaps queue.requestTimeout'],
    ['pools: { size: 5 }', 'pools: expected a known setting, perhaps pool'],
    ['logLevel: info', 'logLevel: expected a known setting, perhaps log.level'],
    ['apikey: abc', 'apikey: expected a known setting, perhaps model.apiKey'],
    ['model: { frobnicate: 1 }', 'model.frobnicate: expected a known setting'],
    ['model: { "a\\nb": 1 }', 'model.a b: expected a known setting'],
    ['model: { __proto__: { polluted: 1 } }', 'model.__proto__: expected a known setting'],
    ['__proto__: { polluted: 1 }', '__proto__: expected a known setting'],
    ['constructor: 1', 'constructor: expected a known setting'],
  ])('is a problem with the nearest known one: %s', (local, line) => {
    expect(lines(failure(local))).toEqual([`${line}, got an unknown one (from config/local.yaml)`])
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('a file', () => {
  test.each([
    ['pool:\n  size: 4\n size: 5\n', 'a mistake (bad indent)', ', line 3'],
    ['pool:\n\tsize: 4\n', 'a mistake (tab as indent)', ', line 2'],
    ['log: { level: info }\nlog: { level: warn }\n', 'a mistake (duplicate key)', ', line 2'],
    ['a: *b\n', 'a mistake (an alias that cannot be resolved)', ''],
  ])('of broken YAML is a problem that names its line: %j', (local, got, line) => {
    const problems = lines(failure(local))
    expect(problems).toContain(`config/local.yaml: expected valid YAML, got ${got} (from config/local.yaml${line})`)
    for (const problem of problems) expect(problem).toMatch(/^config\/local\.yaml: expected valid YAML/)
  })

  test('that is no group of sections is a problem', () => {
    const sections =
      'expected sections (discord, access, quota, attachments, model, database, queue, schedule, pool, shutdown, log)'
    const end = '(from config/local.yaml)'
    expect(lines(failure('- pool\n'))).toEqual([`config/local.yaml: ${sections}, got a list ${end}`])
    expect(lines(failure('token=abc\n'))).toEqual([`config/local.yaml: ${sections}, got a text ${end}`])
    expect(lines(failure('shutdown: 5s\n'))).toEqual([
      `shutdown: expected settings below it (grace), got a text ${end}`,
    ])
  })

  test('that cannot be read is a problem', () => {
    mkdirSync(join(configDir, 'local.yaml'))
    expect(lines(thrownWith({}))).toEqual([
      'config/local.yaml: expected a file that can be read, got EISDIR (from config/local.yaml)',
    ])
  })

  test('of the name local.yml is a problem, because it would be ignored', () => {
    writeFileSync(join(configDir, 'local.yml'), 'pool: { size: 4 }')
    expect(lines(thrownWith({}))).toEqual([
      'config/local.yml: expected the name local.yaml, got local.yml (from config/local.yml)',
    ])
  })

  test('of defaults that lacks settings is a problem for each of them', () => {
    writeFileSync(join(configDir, 'default.yaml'), 'log: { level: info, pretty: auto }\nshutdown: {}\n')
    expect(lines(thrownWith({}))).toContain(
      'shutdown.grace: expected a duration such as 300s or 5m, got nothing (from config/default.yaml)',
    )
  })
})

describe('the configuration folder', () => {
  test('has to exist', () => {
    const missing = join(configDir, 'missing')
    const end = 'expected a folder that exists, got'
    const load = (sources: { configDir?: string; env: Record<string, string> }) => () => loadSettings(sources)
    expect(load({ env: { PARLEY_CONFIG_DIR: missing } })).toThrow(
      `the configuration folder: ${end} "${missing.slice(0, 60)}${missing.length > 60 ? '…' : ''}" (from PARLEY_CONFIG_DIR)`,
    )
    expect(load({ env: {}, configDir: missing })).toThrow('(from the caller)')
  })
})

describe('a ConfigError', () => {
  test('has a code and names all problems at once', () => {
    const error = failure('pools: 1\npool: { size: many }\nlog: { level: loud }', { PARLEY_MAX_ATTEMPTS: 'x' })
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', name: 'ParleyError' })
    expect(error.problems.map(({ key }) => key)).toEqual(['pools', 'queue.maxAttempts', 'pool.size', 'log.level'])
    expect(error.message.split('\n')).toEqual([
      'The configuration cannot be used; correct this and start again:',
      ...formatProblems(error.problems).split('\n'),
    ])
  })
})

describe('a secret', () => {
  const secretText = fc.stringMatching(/^[A-Za-z0-9._-]{20,40}$/)

  function everythingShown(local: string, env: Record<string, string>): string {
    writeFileSync(join(configDir, 'local.yaml'), local)
    try {
      const settings = loadSettings({ env, configDir })
      return inspect(describeSettings(settings), { depth: 9 })
    } catch (error) {
      return inspect(error, { depth: 9, showHidden: true })
    }
  }

  test('never appears in what is shown, wherever it is written and whatever else is wrong', () => {
    const place = fc.constantFrom<(secret: string) => [string, Record<string, string>]>(
      (secret) => ['', { DISCORD_TOKEN: secret }],
      (secret) => ['', { OPENAI_API_KEY: secret }],
      (secret) => ['', { OPENAI_API_KEY: `${secret} ${secret}`, LOG_LEVEL: 'loud' }],
      (secret) => [`discord: { token: "${secret}" }`, {}],
      (secret) => [`discord: { token: "${secret}" }`, { PARLEY_POOL_SIZE: 'many' }],
      (secret) => [`discord: { token: ["${secret}"] }`, {}],
      (secret) => [`model: { apiKey: { "${secret}": 1 } }`, {}],
      (secret) => [`model: { apiKey: "${secret}\\n${secret}" }`, {}],
      (secret) => [`model: { apikey: "${secret}" }`, {}],
      (secret) => [`discord:\n  token="${secret}"`, {}],
      (secret) => [`discord:\n  token: "${secret}`, {}],
      (secret) => [`discord:\n  token: "${secret}" x\n y: [`, {}],
      (secret) => [`discord:\n  token: x${secret}\n token: ${secret}: *${secret}`, {}],
      (secret) => [`DISCORD_TOKEN: "${secret}"`, {}],
      (secret) => [`"x${secret}"`, {}],
      (secret) => [`model: { baseUrl: "https://user:${secret}@example.com" }`, {}],
    )
    fc.assert(
      fc.property(secretText, place, (secret, write) => {
        const shown = everythingShown(...write(secret))
        expect(shown).not.toContain(secret)
        expect(shown.length).toBeGreaterThan(50)
      }),
      { numRuns: 200 },
    )
  })
})
