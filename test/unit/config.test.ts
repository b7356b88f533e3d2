import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeSettings } from '#config/describe-settings.ts'
import { formatDuration, parseDuration } from '#config/duration.ts'
import { loadSettings } from '#config/load-settings.ts'
import { SETTING_KEYS } from '#config/schema.ts'

let configDir: string

beforeEach(() => {
  configDir = mkdtempSync(join(tmpdir(), 'parley-config-'))
})

afterEach(() => {
  rmSync(configDir, { recursive: true })
})

function writeLocal(content: string): void {
  writeFileSync(join(configDir, 'local.yaml'), content)
}

const [ROLE, SKU] = ['80351110224678912', '1019475255913222144']
const GOLD = { name: 'gold', weight: 4, reserved: 0, users: [], roles: [ROLE], skus: [SKU] }

/** The environment variable, a value for it, and what the code then finds under which name. */
const FROM_ENVIRONMENT: readonly (readonly [string, string, string, string, string | number | readonly unknown[]])[] = [
  ['DISCORD_TOKEN', 'a.b-c', 'discord', 'token', 'a.b-c'],
  ['DISCORD_API_URL', 'http://127.0.0.1:1/api/', 'discord', 'apiUrl', 'http://127.0.0.1:1/api'],
  ['PARLEY_EDIT_INTERVAL', '250ms', 'discord', 'editIntervalMs', 250],
  ['PARLEY_REFUSAL_INTERVAL', '0s', 'discord', 'refusalIntervalMs', 0],
  ['PARLEY_NOTIFY_AFTER', '0s', 'discord', 'notifyAfterMs', 0],
  ['PARLEY_MAX_MESSAGES', '20', 'discord', 'maxMessages', 20],
  ['PARLEY_CATCH_UP_AGE', '2h', 'discord', 'catchUpAgeMs', 7_200_000],
  ['PARLEY_CATCH_UP_CHANNELS', '10', 'discord', 'catchUpChannels', 10],
  ['PARLEY_CATCH_UP_MESSAGES', '0', 'discord', 'catchUpMessages', 0],
  [
    'PARLEY_OWNERS',
    '80351110224678912, 80351110224678913',
    'access',
    'owners',
    ['80351110224678912', '80351110224678913'],
  ],
  ['PARLEY_DIRECT_MESSAGES', 'allowed', 'access', 'directMessages', 'allowed'],
  ...['allow', 'deny'].flatMap((kind) =>
    ['Users', 'Roles', 'Servers', 'Channels'].map((what) => {
      const id = '80351110224678912'
      return [`PARLEY_${kind}_${what}`.toUpperCase(), id, 'access', `${kind}${what}`, [id]] as const
    }),
  ),
  ['PARLEY_REQUESTS_PER_HOUR', '20', 'quota', 'requestsPerHour', 20],
  ['PARLEY_TOKENS_PER_DAY', '50000', 'quota', 'tokensPerDay', 50_000],
  ['PARLEY_TOKENS_PER_DAY_IN_ALL', '900000', 'quota', 'tokensPerDayInAll', 900_000],
  ['PARLEY_MAX_FILES', '0', 'attachments', 'maxCount', 0],
  ['PARLEY_MAX_FILE_SIZE', '8', 'attachments', 'maxSizeMiB', 8],
  ['PARLEY_FILE_TEXT_CHARS', '1000', 'attachments', 'textChars', 1000],
  ['PARLEY_FILE_TIMEOUT', '5s', 'attachments', 'timeoutMs', 5000],
  [
    'PARLEY_FILE_HOSTS',
    'files.example.com, http://127.0.0.1:80/',
    'attachments',
    'hosts',
    ['https://files.example.com', 'http://127.0.0.1'],
  ],
  ['OPENAI_API_KEY', ' sk-1 ', 'model', 'apiKey', 'sk-1'],
  ['OPENAI_BASE_URL', 'http://localhost:11434/v1', 'model', 'baseUrl', 'http://localhost:11434/v1'],
  ['OPENAI_MODEL', 'llama3', 'model', 'name', 'llama3'],
  ['PARLEY_MODELS', 'llama3, qwen3:8b,llama3', 'model', 'allowed', ['llama3', 'qwen3:8b']],
  ['PARLEY_MODEL_VISION', 'always', 'model', 'vision', 'always'],
  ['PARLEY_SYSTEM_PROMPT', 'Be kind.\nBe brief.', 'model', 'systemPrompt', 'Be kind.\nBe brief.'],
  ['PARLEY_CONTEXT_TOKENS', '4096', 'model', 'contextTokens', 4096],
  ['PARLEY_MAX_ANSWER_TOKENS', '512', 'model', 'maxAnswerTokens', 512],
  ['PARLEY_TEMPERATURE', '0.7', 'model', 'temperature', 0.7],
  ['PARLEY_MAX_RETRIES', '0', 'model', 'maxRetries', 0],
  ['PARLEY_BREAK_THRESHOLD', '3', 'model', 'breakThreshold', 3],
  ['PARLEY_BREAK_PAUSE', '10s', 'model', 'breakPauseMs', 10_000],
  ['PARLEY_MODEL_CONCURRENCY', 'fixed', 'model', 'concurrency', 'fixed'],
  ['PARLEY_FIRST_TOKEN_TIMEOUT', '2h', 'model', 'firstTokenTimeoutMs', 7_200_000],
  ['PARLEY_SILENCE_TIMEOUT', '1.5s', 'model', 'silenceTimeoutMs', 1500],
  ['PARLEY_OFFLINE_WORD_DELAY', '0', 'model', 'offlineWordDelayMs', 0],
  ['PARLEY_DATABASE', '/var/lib/parley.db', 'database', 'path', '/var/lib/parley.db'],
  ['PARLEY_DATABASE_CALL_TIMEOUT', '7s', 'database', 'callTimeoutMs', 7000],
  ['PARLEY_MAX_QUEUE_SIZE', '3', 'queue', 'maxQueueSize', 3],
  ['PARLEY_WARN_ABOVE', '7', 'queue', 'warnAbove', 7],
  ['PARLEY_DEBOUNCE', '1.5s', 'queue', 'debounceMs', 1500],
  ['PARLEY_REQUEST_TIMEOUT', '5m', 'queue', 'requestTimeoutMs', 300_000],
  ['PARLEY_HISTORY_LIMIT', '0', 'queue', 'historyLimit', 0],
  ['PARLEY_ERROR_RECOVERY_DELAY', '100ms', 'queue', 'errorRecoveryDelayMs', 100],
  ['PARLEY_POLL_INTERVAL', '2s', 'queue', 'pollIntervalMs', 2000],
  ['PARLEY_RETENTION', '90d', 'database', 'retentionMs', 90 * 86_400_000],
  ['PARLEY_HISTORY_CACHE', '8', 'database', 'historyCacheMiB', 8],
  ['PARLEY_WHEN_UNAVAILABLE', 'refuse', 'database', 'whenUnavailable', 'refuse'],
  ['PARLEY_MAX_ATTEMPTS', '1', 'queue', 'maxAttempts', 1],
  ['PARLEY_RETRY_BACKOFF', '500ms', 'queue', 'retryBackoffMs', 500],
  ['PARLEY_MAX_MESSAGE_LENGTH', '2000', 'queue', 'maxMessageLength', 2000],
  ['PARLEY_MAILBOX_SIZE', '10', 'queue', 'mailboxSize', 10],
  ['PARLEY_MAX_WAIT', '90s', 'queue', 'maxWaitMs', 90_000],
  ['PARLEY_TIERS', `[{"name":"gold","weight":4,"roles":["${ROLE}"],"skus":["${SKU}"]}]`, 'queue', 'tiers', [GOLD]],
  ['PARLEY_MAX_SCHEDULES', '0', 'schedule', 'maxPerUser', 0],
  ['PARLEY_POOL_SIZE', '4', 'pool', 'size', 4],
  ['PARLEY_POOL_CONCURRENCY', '8', 'pool', 'concurrency', 8],
  ['PARLEY_CANCEL_GRACE', '100ms', 'pool', 'cancelGraceMs', 100],
  ['PARLEY_MAX_HEAP', '256', 'pool', 'maxHeapMiB', 256],
  ['PARLEY_SHUTDOWN_GRACE', '1d', 'shutdown', 'graceMs', 86_400_000],
  ['LOG_LEVEL', 'silent', 'log', 'level', 'silent'],
  ['PARLEY_LOG_PRETTY', 'never', 'log', 'pretty', 'never'],
]

describe('settings', () => {
  test('have the documented defaults', () => {
    const { sources, ...settings } = loadSettings({ env: {}, configDir, cores: 8 })
    expect(settings).toEqual({
      discord: {
        token: null,
        apiUrl: 'https://discord.com/api',
        editIntervalMs: 1000,
        refusalIntervalMs: 5000,
        notifyAfterMs: 60_000,
        maxMessages: 5,
        catchUpAgeMs: 43_200_000,
        catchUpChannels: 500,
        catchUpMessages: 50,
      },
      access: {
        owners: [],
        directMessages: 'anyone',
        allowUsers: [],
        allowRoles: [],
        allowServers: [],
        allowChannels: [],
        denyUsers: [],
        denyRoles: [],
        denyServers: [],
        denyChannels: [],
      },
      quota: { requestsPerHour: null, tokensPerDay: null, tokensPerDayInAll: null },
      attachments: {
        maxCount: 4,
        maxSizeMiB: 4,
        textChars: 40_000,
        timeoutMs: 15_000,
        hosts: ['https://cdn.discordapp.com', 'https://media.discordapp.net'],
      },
      model: {
        apiKey: null,
        baseUrl: null,
        name: 'gpt-4o-mini',
        allowed: [],
        vision: 'auto',
        systemPrompt: expect.stringMatching(/^You are a helpful assistant in a Discord chat\. .+\.$/),
        contextTokens: 8192,
        maxAnswerTokens: null,
        temperature: null,
        maxRetries: 2,
        breakThreshold: 5,
        breakPauseMs: 5000,
        concurrency: 'adaptive',
        firstTokenTimeoutMs: 120_000,
        silenceTimeoutMs: 60_000,
        offlineWordDelayMs: 15,
      },
      database: {
        path: 'data/parley.db',
        callTimeoutMs: 5000,
        retentionMs: null,
        historyCacheMiB: 32,
        whenUnavailable: 'answer',
      },
      queue: {
        maxQueueSize: 50,
        warnAbove: 25,
        debounceMs: 0,
        requestTimeoutMs: 300_000,
        historyLimit: 20,
        errorRecoveryDelayMs: 5000,
        pollIntervalMs: 1000,
        maxAttempts: 3,
        retryBackoffMs: 2000,
        maxMessageLength: 4000,
        mailboxSize: 1000,
        maxWaitMs: 600_000,
        tiers: [],
      },
      schedule: { maxPerUser: 20 },
      pool: { size: 7, concurrency: 16, cancelGraceMs: 5000, maxHeapMiB: 512 },
      shutdown: { graceMs: 0 },
      log: { level: 'info', pretty: 'auto' },
    })
    expect(new Set(Object.values(sources))).toEqual(new Set(['config/default.yaml']))
  })

  test.each(FROM_ENVIRONMENT)('take %s=%j from the environment', (variable, value, section, name, expected) => {
    const settings = loadSettings({ env: { [variable]: value }, configDir })
    expect(settings).toHaveProperty([section, name], expected)
    const fromVariable = Object.entries(settings.sources).filter(([, source]) => source === variable)
    expect(fromVariable).toHaveLength(1)
  })

  test('have a case in the table above for each of them', () => {
    expect(FROM_ENVIRONMENT).toHaveLength(SETTING_KEYS.length)
    expect(new Set(FROM_ENVIRONMENT.map(([variable]) => variable)).size).toBe(SETTING_KEYS.length)
  })

  test('in local.yaml win over the defaults, and the environment wins over both', () => {
    writeLocal('pool:\n  size: 3\n  concurrency: 5\nqueue:\n  requestTimeout: 10s\n')
    const settings = loadSettings({ env: { PARLEY_POOL_SIZE: '9' }, configDir })
    expect(settings.pool).toEqual({ size: 9, concurrency: 5, cancelGraceMs: 5000, maxHeapMiB: 512 })
    expect(settings.queue.requestTimeoutMs).toBe(10_000)
    expect(settings.sources).toMatchObject({
      'pool.size': 'PARLEY_POOL_SIZE',
      'pool.concurrency': join(configDir, 'local.yaml'),
      'pool.cancelGrace': 'config/default.yaml',
    })
  })

  test('are not changed by an empty environment variable, an empty local.yaml or an empty section', () => {
    writeLocal('# nothing\n')
    expect(loadSettings({ env: { PARLEY_POOL_CONCURRENCY: '' }, configDir }).pool.concurrency).toBe(16)
    writeLocal('pool:\n  # size: 4\nlog: null\n')
    expect(loadSettings({ env: {}, configDir, cores: 3 }).pool.size).toBe(2)
  })

  test.each([
    ['null', 4, 3],
    ['auto', 4, 3],
    ['auto', 1, 1],
    ['auto', 1000, 256],
    ['6', 4, 6],
  ])('make pool.size: %s on %i cores %i threads', (size, cores, threads) => {
    writeLocal(`pool: { size: ${size} }`)
    expect(loadSettings({ env: {}, configDir, cores }).pool.size).toBe(threads)
  })

  test('can be copied to a thread and cannot be changed', () => {
    const settings = loadSettings({ env: {}, configDir })
    expect(structuredClone(settings)).toEqual(settings)
    const parts = [settings, ...Object.values(settings), settings.access.owners]
    for (const part of parts) expect(Object.isFrozen(part)).toBe(true)
  })

  test('are read from the folder that PARLEY_CONFIG_DIR names, and files there may replace the defaults', () => {
    writeLocal('log: { level: warn }')
    expect(loadSettings({ env: { PARLEY_CONFIG_DIR: configDir } }).log.level).toBe('warn')
    expect(loadSettings({ env: { PARLEY_CONFIG_DIR: '/nowhere' }, configDir }).log.level).toBe('warn')
    writeFileSync(join(configDir, 'custom-environment-variables.yaml'), 'log: { level: OTHER_LEVEL }')
    expect(loadSettings({ env: { LOG_LEVEL: 'error', OTHER_LEVEL: 'debug' }, configDir }).log.level).toBe('debug')
  })

  test('do not depend on NODE_ENV, NODE_CONFIG, the host name or other files of the folder', () => {
    for (const name of ['development', 'production', 'local-development', 'somehost']) {
      writeFileSync(join(configDir, `${name}.yaml`), 'log: { level: fatal }')
    }
    const env = { NODE_ENV: 'production', NODE_CONFIG: '{"log":{"level":"fatal"}}', HOSTNAME: 'somehost' }
    expect(loadSettings({ env, configDir }).log.level).toBe('info')
  })

  test('do not depend on the working directory or the process environment', () => {
    mkdirSync(join(configDir, 'config'))
    writeFileSync(join(configDir, 'config', 'local.yaml'), 'log: { level: fatal }')
    const module = new URL('../../src/config/load-settings.ts', import.meta.url)
    const script = `import { loadSettings } from ${JSON.stringify(module.href)}
      process.stdout.write(JSON.stringify(loadSettings({ env: { PARLEY_MAX_RETRIES: '1' }, configDir: '.' })))`
    const env = { ...process.env, LOG_LEVEL: 'fatal', NODE_CONFIG_DIR: 'config' }
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: configDir, env })
    const settings: unknown = JSON.parse(output.toString())
    expect(settings).toMatchObject({ log: { level: 'info' }, model: { maxRetries: 1 } })
  })
})

describe('the list of settings', () => {
  test('names every setting as the files do, with units and sources, and hides secrets', () => {
    const tiers = JSON.stringify([{ name: 'gold', weight: 4, roles: [ROLE], skus: [SKU, ROLE], reserved: 3 }])
    const env = { DISCORD_TOKEN: 'very-secret', PARLEY_POOL_SIZE: '2', PARLEY_TIERS: tiers }
    const lines = describeSettings(structuredClone(loadSettings({ env, configDir })))
    expect(lines.map(({ key }) => key)).toEqual(SETTING_KEYS)
    expect(lines).toContainEqual({ key: 'discord.token', value: '(hidden)', source: 'DISCORD_TOKEN' })
    expect(lines).toContainEqual({ key: 'model.apiKey', value: '(not set)', source: 'config/default.yaml' })
    expect(lines).toContainEqual({ key: 'queue.requestTimeout', value: '5m', source: 'config/default.yaml' })
    expect(lines).toContainEqual({
      key: 'queue.tiers',
      value: 'gold (weight 4, by a role, by 2 purchases, 3 places)',
      source: 'PARLEY_TIERS',
    })
    expect(lines).toContainEqual({ key: 'pool.size', value: '2', source: 'PARLEY_POOL_SIZE' })
    expect(lines).toContainEqual({ key: 'pool.maxHeap', value: '512 MiB', source: 'config/default.yaml' })
    expect(lines).toContainEqual({ key: 'shutdown.grace', value: '0s', source: 'config/default.yaml' })
  })
})

describe('durations', () => {
  test('are read back as they are written', () => {
    fc.assert(
      fc.property(fc.nat({ max: 24 * 86_400_000 }), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).toBe(durationMs)
      }),
    )
  })

  test.each(['5', 5, '-3s', '5 s', '5S', '1e3s', '.5s', '0.5ms', 's', '', null, true, ['5s'], '5m30s'])(
    'are not read from %j',
    (value) => {
      expect(parseDuration(value)).toBeUndefined()
    },
  )
})
