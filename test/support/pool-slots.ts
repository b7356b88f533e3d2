import type { AssistantPool } from '#protocol/pool.ts'

/** Resolves once the pool has so many slots; learns of it from the pool alone. */
export function untilSlots(pool: AssistantPool, count: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (pool.slots === count) resolve()
    }
    pool.onSlotsChanged(look)
    look()
  })
}
