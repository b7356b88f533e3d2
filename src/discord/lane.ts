/** Calls that Discord counts together, and that go one after the other. */
export interface Lane {
  readonly key: string
  /** Whether they are outside the limit of the whole bot, as those of an interaction are. */
  readonly isExempt: boolean
}

const WEBHOOK = /^\/webhooks\/[^/]+\/[^/]+/u

/** The lane of a call; Discord counts by method and path, of whose ids only the first one matters. */
export function laneOf(method: string, path: string): Lane {
  const webhook = WEBHOOK.exec(path)?.[0]
  if (webhook !== undefined) return { key: webhook, isExempt: true }
  const [, resource = '', id = '', ...rest] = path.split('/')
  const route = rest.map((part) => (IDS.test(part) ? ':id' : part)).join('/')
  return { key: `${method} /${resource}/${id}/${route}`, isExempt: false }
}

const IDS = /^\d{16,20}$/u

/** Tells whether a call answers an interaction: nobody counts those, and they have three seconds. */
export function isCallback(path: string): boolean {
  return path.startsWith('/interactions/')
}

/** The path of an address of Discord's API, without the version. */
export function pathOf(url: string): string {
  const { pathname } = new URL(url)
  return /^.*\/v\d+(\/.*)$/u.exec(pathname)?.[1] ?? pathname
}
