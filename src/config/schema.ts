import { z } from 'zod'
import {
  decimalNumber,
  discordIds,
  duration,
  names,
  oneOf,
  secret,
  text,
  webAddress,
  webOrigins,
  wholeNumber,
} from './setting-types.ts'
import { keepsReserved, TOO_MUCH_RESERVED, tiers } from './tiers.ts'

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const MOST_TOKENS = 10_000_000
const MOST_TOKENS_A_DAY = 1_000_000_000_000
const DAY_MS = 86_400_000
/** Discord shows 25 choices, of 100 characters each; `model.name` is one of them. */
const MOST_MODELS = 24
const LONGEST_MODEL_NAME = 100
const LONGEST_RETENTION_MS = 100 * 365 * DAY_MS

/** Builds the schema of all settings under the names the files use; `pool.size` falls back to `cores` − 1. */
export function createSchema(cores: number) {
  return z.object({
    discord: z.object({
      token: secret('a bot token').nullable(),
      apiUrl: webAddress(),
      editInterval: duration(250),
      refusalInterval: duration(0),
      notifyAfter: duration(0),
      maxMessages: wholeNumber(1, 20),
      catchUpAge: duration(0),
      catchUpChannels: wholeNumber(0, 100_000),
      catchUpMessages: wholeNumber(0, 1000),
    }),
    access: z.object({
      owners: discordIds(),
      directMessages: oneOf(['anyone', 'sharedServer', 'allowed']),
      allowUsers: discordIds(),
      allowRoles: discordIds(),
      allowServers: discordIds(),
      allowChannels: discordIds(),
      denyUsers: discordIds(),
      denyRoles: discordIds(),
      denyServers: discordIds(),
      denyChannels: discordIds(),
    }),
    quota: z.object({
      requestsPerHour: wholeNumber(1, 1_000).nullable(),
      tokensPerDay: wholeNumber(1, MOST_TOKENS_A_DAY).nullable(),
      tokensPerDayInAll: wholeNumber(1, MOST_TOKENS_A_DAY).nullable(),
    }),
    attachments: z.object({
      maxCount: wholeNumber(0, 10),
      maxSize: wholeNumber(1, 25),
      textChars: wholeNumber(0, 10_000_000),
      timeout: duration(100),
      hosts: webOrigins(),
    }),
    model: z.object({
      apiKey: secret('an API key').nullable(),
      baseUrl: webAddress().nullable(),
      name: text('the name of a model'),
      allowed: names('names of models', MOST_MODELS, LONGEST_MODEL_NAME),
      vision: oneOf(['auto', 'always', 'never']),
      systemPrompt: text('a text'),
      contextTokens: wholeNumber(256, MOST_TOKENS),
      maxAnswerTokens: wholeNumber(1, MOST_TOKENS).nullable(),
      temperature: decimalNumber(0, 2).nullable(),
      maxRetries: wholeNumber(0, 20),
      breakThreshold: wholeNumber(0, 10_000),
      breakPause: duration(1),
      concurrency: oneOf(['adaptive', 'fixed']),
      firstTokenTimeout: duration(1),
      silenceTimeout: duration(1),
      offlineWordDelay: duration(0),
    }),
    database: z.object({
      path: text('the path of a file'),
      callTimeout: duration(1),
      retention: duration(DAY_MS, LONGEST_RETENTION_MS).nullable(),
      historyCache: wholeNumber(0, 16_384),
      whenUnavailable: oneOf(['answer', 'refuse']),
    }),
    queue: z
      .object({
        maxQueueSize: wholeNumber(1, 1_000_000),
        warnAbove: wholeNumber(0, 1_000_000),
        debounce: duration(0, 60_000),
        requestTimeout: duration(1),
        historyLimit: wholeNumber(0, 10_000),
        errorRecoveryDelay: duration(0),
        pollInterval: duration(10),
        maxAttempts: wholeNumber(1, 10),
        retryBackoff: duration(0),
        maxMessageLength: wholeNumber(1, 100_000),
        mailboxSize: wholeNumber(1, 1_000_000),
        maxWait: duration(1_000).nullable(),
        tiers: tiers(),
      })
      .refine(keepsReserved, { path: ['tiers'], message: TOO_MUCH_RESERVED }),
    schedule: z.object({
      maxPerUser: wholeNumber(0, 25),
    }),
    pool: z.object({
      size: poolSize(cores),
      concurrency: wholeNumber(1, 1024),
      cancelGrace: duration(100),
      maxHeap: wholeNumber(128, 65_536),
    }),
    shutdown: z.object({
      grace: duration(0),
    }),
    log: z.object({
      level: oneOf(LOG_LEVELS),
      pretty: oneOf(['auto', 'always', 'never']),
    }),
  })
}

function poolSize(cores: number) {
  const ownChoice = Math.min(256, Math.max(1, cores - 1))
  return z.preprocess((value) => (value === null || value === 'auto' ? ownChoice : value), wholeNumber(1, 256))
}

/** All settings under the names the files use, durations in ms. */
export type ExternalSettings = z.output<ReturnType<typeof createSchema>>

/** The sections and their settings, in the order of `default.yaml`. */
export const SETTING_NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(createSchema(1).shape).map(([section, { shape }]) => [section, Object.keys(shape)]),
)

/** Every setting as `section.name`. */
export const SETTING_KEYS: readonly string[] = [...SETTING_NAMES].flatMap(([section, names]) =>
  names.map((name) => `${section}.${name}`),
)

const SECRET_KEYS: ReadonlySet<string> = new Set(['discord.token', 'model.apiKey'])

/** Tells whether the value of a setting must never be shown. */
export function isSecret(key: string): boolean {
  return SECRET_KEYS.has(key)
}
