import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type BarGroup, barChart } from './bar-chart.ts'
import { loadOf } from './load.ts'
import { fair, fifo, type Served, simulate, strictPriority } from './simulated-queue.ts'

const LOAD = { seed: 20_26, users: 3_000, seconds: 4 * 3_600, rate: 0.5 }
const QUEUE = { slots: 32, maxQueueSize: 50, tokensPerSecond: 30, estimate: 1_000 }
const MAX_WAIT_SECONDS = 600

const GROUPS = [
  ['premium, light', (one: Served) => one.tier.name === 'premium' && one.kind === 'light'],
  ['free, light', (one: Served) => one.tier.name === 'free' && one.kind === 'light'],
  ['premium, heavy', (one: Served) => one.tier.name === 'premium' && one.kind === 'heavy'],
  ['free, heavy', (one: Served) => one.tier.name === 'free' && one.kind === 'heavy'],
] as const

const load = loadOf(LOAD)
const results = [fifo(), strictPriority(), fair(MAX_WAIT_SECONDS)].map((discipline) => ({
  name: discipline.name,
  served: simulate(load, discipline, QUEUE),
}))

const HEAD = ['order', 'who', 'asked', 'turned away', 'half waited', '90 %', '99 %', 'longest']
const rows = results.flatMap(({ name, served }) =>
  GROUPS.map(([who, belongs]) => {
    const theirs = served.filter(belongs)
    const waits = waitsOf(theirs)
    const refused = theirs.length - waits.length
    const away = `${((100 * refused) / theirs.length).toFixed(1)} %`
    return [
      name,
      who,
      String(theirs.length),
      away,
      ...[0.5, 0.9, 0.99, 1].map((part) => `${percentile(waits, part)} s`),
    ]
  }),
)
process.stdout.write(
  `${LOAD.users} users, ${load.length} questions in ${LOAD.seconds / 3_600} h, seed ${LOAD.seed}\n\n`,
)
process.stdout.write(`${[HEAD, HEAD.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`)

const groups: BarGroup[] = GROUPS.map(([who, belongs]) => ({
  label: who,
  values: results.map(({ served }) => Number(percentile(waitsOf(served.filter(belongs)), 0.9))),
}))
const chart = barChart({
  title: 'Seconds within which 90 % of the questions began to be answered',
  series: results.map(({ name }) => name),
  groups,
})
writeFileSync(fileURLToPath(new URL('../../docs/fairness.svg', import.meta.url)), chart)

/** Of those that were not turned away, shortest first. */
function waitsOf(served: readonly Served[]): number[] {
  return served.flatMap(({ waited }) => waited ?? []).toSorted((a, b) => a - b)
}

function percentile(sorted: readonly number[], part: number): string {
  return (sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0).toFixed(1)
}
