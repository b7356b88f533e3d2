import { appendFileSync } from 'node:fs'

/** Where the long chaos tests write what they have seen, a JSON line each; nowhere when it is not set. */
const { PARLEY_CHAOS_REPORT: REPORT } = process.env

export function tell(test: string, facts: object): void {
  if (REPORT) appendFileSync(REPORT, `${JSON.stringify({ test, ...facts })}\n`)
}
