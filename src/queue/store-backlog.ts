import type { Clock, Timer } from '#actors/clock.ts'
import type { Log } from '#actors/log.ts'
import { errorMessage } from '#domain/errors.ts'
import type { StorageState } from '#protocol/queue.ts'

/** A write that could not be made, kept until it can be. */
interface PendingWrite {
  readonly write: () => Promise<unknown>
  readonly bytes: number
}

export interface BacklogOptions {
  /** Writes something, to see whether that works. */
  readonly probe: () => Promise<unknown>
  readonly clock: Clock
  readonly log: Log
  /** What may be kept in memory. */
  readonly maxBytes?: number
}

const FIRST_PROBE_MS = 1_000
const LONGEST_PROBE_MS = 30_000
const MAX_BYTES = 64 * 1024 * 1024
/** What a write takes besides its texts, about. */
const OVERHEAD_BYTES = 512

/**
 * Knows whether the database takes writes, and keeps those it did not take.
 *
 * The first write that fails makes it unavailable. From then on it is probed, less and less often; when a probe works,
 * what waited is written in the order it came. A write that fails although the probe before it worked is at fault
 * itself: it is given up, or it would hold up all others for ever.
 */
export class StoreBacklog {
  readonly #options: BacklogOptions
  readonly #maxBytes: number
  /** By request, as a later write of one can make the earlier ones needless. */
  readonly #pending = new Map<string, readonly PendingWrite[]>()
  #bytes = 0
  #dropped = 0
  #unavailableSince: number | null = null
  #probeDelayMs = FIRST_PROBE_MS
  #timer: Timer | undefined
  #stopped = false

  constructor(options: BacklogOptions) {
    this.#options = options
    this.#maxBytes = options.maxBytes ?? MAX_BYTES
  }

  get state(): StorageState {
    const pendingWrites = [...this.#pending.values()].reduce((sum, writes) => sum + writes.length, 0)
    return {
      available: this.available,
      unavailableSince: this.#unavailableSince,
      pendingWrites,
      droppedWrites: this.#dropped,
    }
  }

  get available(): boolean {
    return this.#unavailableSince === null
  }

  /** Says that a write failed. */
  failed(error: unknown): void {
    if (!this.available) return
    const { clock, log } = this.#options
    this.#unavailableSince = clock.now()
    log.error({ error: errorMessage(error) }, 'nothing can be stored; Parley goes on in memory and tries again')
    this.#probeDelayMs = FIRST_PROBE_MS
    this.#probeLater()
  }

  /**
   * Keeps a write of a request, after those of it that wait already or in their place. Whatever waits has a probe to
   * look forward to, also when one has worked since this write failed.
   */
  keep(requestId: string, write: () => Promise<unknown>, textBytes: number, { replacing = false } = {}): void {
    this.failed('a write has to be made later')
    if (replacing) this.forget(requestId)
    const bytes = OVERHEAD_BYTES + textBytes
    this.#pending.set(requestId, [...(this.#pending.get(requestId) ?? []), { write, bytes }])
    this.#bytes += bytes
    while (this.#bytes > this.#maxBytes) this.#dropOldest()
  }

  forget(requestId: string): void {
    for (const { bytes } of this.#pending.get(requestId) ?? []) this.#bytes -= bytes
    this.#pending.delete(requestId)
  }

  /** Tries what waits once more and ends. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    if (!this.available) await this.#probe()
    const { pendingWrites } = this.state
    if (pendingWrites > 0) this.#options.log.error({ pendingWrites }, 'some writes could not be made before the end')
  }

  #dropOldest(): void {
    const [requestId] = this.#pending.keys()
    if (requestId === undefined) return
    this.#dropped += this.#pending.get(requestId)?.length ?? 0
    this.forget(requestId)
    this.#options.log.error({ requestId }, 'too much waits to be stored; the oldest of it was given up')
  }

  #probeLater(): void {
    if (this.#stopped) return
    this.#timer = this.#options.clock.setTimeout(() => void this.#probe(), this.#probeDelayMs)
    this.#probeDelayMs = Math.min(LONGEST_PROBE_MS, this.#probeDelayMs * 2)
  }

  /** Never rejects. */
  async #probe(): Promise<void> {
    try {
      await this.#options.probe()
      await this.#writeAll()
    } catch {
      return this.#probeLater()
    }
    // What was kept since the last write was made has no other probe to look forward to.
    if (this.#pending.size > 0) return this.#probe()
    this.#unavailableSince = null
    this.#options.log.info({ droppedWrites: this.#dropped }, 'everything can be stored again')
  }

  /** In the order they came; what comes meanwhile is written too. */
  async #writeAll(): Promise<void> {
    for (let [first] = this.#pending; first; [first] = this.#pending) {
      const [requestId, [next]] = first
      if (next) await this.#writeOne(requestId, next.write)
      this.#written(requestId, next)
    }
  }

  /** While it was being written it can have been replaced. */
  #written(requestId: string, written: PendingWrite | undefined): void {
    const writes = this.#pending.get(requestId)
    if (writes === undefined || writes[0] !== written) return
    this.#bytes -= written?.bytes ?? 0
    if (writes.length > 1) this.#pending.set(requestId, writes.slice(1))
    else this.#pending.delete(requestId)
  }

  /** Rejects when the database does not take anything. */
  async #writeOne(requestId: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await write()
    } catch (error) {
      await this.#options.probe()
      this.#dropped += 1
      this.#options.log.error({ requestId, error: errorMessage(error) }, 'a write is not taken; it was given up')
    }
  }
}
