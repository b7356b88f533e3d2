/** What is known of the model's server from the executions so far. */
export interface ModelHealth {
  /** `silent`: nothing is sent to it for a while; `tried`: one question finds out whether it answers again. */
  readonly state: 'answering' | 'silent' | 'tried'
  /** How often it was found silent, since the start. */
  readonly silences: number
  /** Calls it refused because there was too much, since the start. */
  readonly rateLimited: number
  /** How many questions it gets at the same time; null while it takes as many as there are slots. */
  readonly limit: number | null
}

/** The model's server in a line of statistics. */
export function describeHealth({ state, silences, rateLimited, limit }: ModelHealth): string {
  return [
    STATES[state],
    ...(silences > 0 ? [`found silent ${silences} times`] : []),
    ...(rateLimited > 0 ? [`${rateLimited} calls refused as too many`] : []),
    ...(limit === null ? [] : [`${limit} at the same time now`]),
  ].join(', ')
}

const STATES = {
  answering: 'in use',
  silent: 'does not answer, questions wait',
  tried: 'does not answer, being tried',
} as const
