const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
])

const DURATION = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/

/** Reads a duration such as `300s`, `1.5s` or `0` in whole ms; undefined for anything else, also a number without unit. */
export function parseDuration(value: unknown): number | undefined {
  if (value === 0 || value === '0') return 0
  const match = typeof value === 'string' ? DURATION.exec(value) : null
  const unitMs = UNIT_MS.get(match?.[2] ?? '')
  if (unitMs === undefined) return undefined
  const exactMs = Number(match?.[1]) * unitMs
  const wholeMs = Math.round(exactMs)
  return Math.abs(exactMs - wholeMs) < 1e-6 * Math.max(1, wholeMs) ? wholeMs : undefined
}

/** Writes whole ms in the largest unit that needs no fraction; `parseDuration` reads it back. */
export function formatDuration(durationMs: number): string {
  for (const [unit, unitMs] of UNIT_MS) {
    if (durationMs >= unitMs && durationMs % unitMs === 0) return `${durationMs / unitMs}${unit}`
  }
  return '0s'
}
