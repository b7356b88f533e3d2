import type { Changes } from './changes.ts'

/** One REST call. */
export interface CallRecord {
  /** 1, 2, 3 … in the order of arrival. */
  readonly seq: number
  /** Arrival, ms since epoch. */
  readonly at: number
  readonly method: string
  /** The pattern it matched, like `/channels/:channelId/messages`; the path itself when none did. */
  readonly route: string
  /** Without `/api/v10`, with the query. */
  readonly path: string
  readonly body: unknown
  /** null while it runs, 0 when the connection was closed instead of an answer. */
  status: number | null
  /** Discord's error code when it was refused with one. */
  code: number | null
}

/** How often what was called and refused. */
export interface CallCounts {
  readonly calls: number
  readonly rateLimited: number
  /** 401, 403 and 429: 10,000 of these in ten minutes are a ban. */
  readonly invalid: number
  /** By `METHOD /route`. */
  readonly byRoute: Readonly<Record<string, { readonly calls: number; readonly rateLimited: number }>>
  readonly byStatus: Readonly<Record<string, number>>
}

/** Keeps every REST call in order. */
export class CallLog {
  readonly #calls: CallRecord[] = []
  readonly #changes: Changes

  constructor(changes: Changes) {
    this.#changes = changes
  }

  begin(call: Pick<CallRecord, 'at' | 'method' | 'route' | 'path' | 'body'>): CallRecord {
    const record = { seq: this.#calls.length + 1, ...call, status: null, code: null }
    this.#calls.push(record)
    this.#changes.announce({ type: 'callArrived', call: record })
    return record
  }

  end(call: CallRecord, status: number, code: number | null = null): void {
    call.status = status
    call.code = code
    this.#changes.announce({ type: 'callEnded', call })
  }

  /** The calls after a sequence number. */
  since(seq: number): CallRecord[] {
    return this.#calls.slice(seq)
  }

  counts(): CallCounts {
    const byRoute: Record<string, { calls: number; rateLimited: number }> = {}
    const byStatus: Record<string, number> = {}
    for (const call of this.#calls) {
      const route = `${call.method} ${call.route}`
      const counted = byRoute[route] ?? { calls: 0, rateLimited: 0 }
      counted.calls++
      if (call.status === 429) counted.rateLimited++
      byRoute[route] = counted
      const status = String(call.status ?? 'open')
      byStatus[status] = (byStatus[status] ?? 0) + 1
    }
    const of = (status: number) => byStatus[status] ?? 0
    return { calls: this.#calls.length, rateLimited: of(429), invalid: of(401) + of(403) + of(429), byRoute, byStatus }
  }
}
