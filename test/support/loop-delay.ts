/** Preloaded into a Parley under measurement: tells, when it is asked to, how late its main thread's event loop was. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/** ms, since the last time they were asked for. */
export interface LoopDelay {
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** Processor time of the whole process. */
  readonly cpuMs: number
  readonly rssMiB: number
}

const RESOLUTION_MS = 1

if (isMainThread && process.send) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  let cpu = process.cpuUsage()
  process.on('message', () => {
    const { user, system } = process.cpuUsage(cpu)
    cpu = process.cpuUsage()
    // The histogram counts the time between two of its own timers.
    const ms = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
    const delays = { p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max) }
    histogram.reset()
    process.send?.({ ...delays, cpuMs: (user + system) / 1e3, rssMiB: process.memoryUsage.rss() / 2 ** 20 })
  })
  // Who measures must not keep the process alive.
  process.channel?.unref()
}
