import type { ResourceLimits } from 'node:worker_threads'

/** Of three equal parts, of which one moves to the old generation at most. */
const YOUNG_MIB = 24

/**
 * Limits under which a thread that needs too much memory ends alone. `maxHeapMiB` bounds what lives long.
 *
 * When a heap is full, Node asks the thread to end and lends it 16 MiB to finish its collection of garbage. A collection
 * that moves more than that out of the young generation ends the whole process ("Reached heap limit"), so that
 * generation, 192 MiB unless told otherwise, has to be small: docs/adr/0024-heaps.md.
 */
export function heapLimits(maxHeapMiB: number): ResourceLimits {
  return { maxOldGenerationSizeMb: maxHeapMiB, maxYoungGenerationSizeMb: YOUNG_MIB }
}
