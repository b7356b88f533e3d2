import type { Database } from 'better-sqlite3'
import { type Claim, chargedTokens, type Ended, type FairState, finishOf } from '#domain/fair-shares.ts'

/** Who has used how much of what is shared fairly. Each change belongs into the write of what it counts. */
export class FairRecords {
  readonly #statements: ReturnType<typeof prepareFairStatements>

  constructor(database: Database) {
    this.#statements = prepareFairStatements(database)
  }

  /** A request was admitted. */
  claim(userId: string, claim: Claim): void {
    this.#statements.setFinish.run({ userId, finish: finishOf(claim, claim.costEstimate) })
  }

  /** A request was dispatched. */
  dispatched(virtualTime: number): void {
    this.#statements.setClock.run(virtualTime)
  }

  /** A request has ended: what it has really cost takes the place of the estimate, unless its user's next one began from it. */
  settle(requestId: string, ended: Ended): void {
    const claim = this.#statements.claimOf.get(requestId)
    if (claim)
      this.#statements.setFinish.run({ userId: claim.userId, finish: finishOf(claim, chargedTokens(claim, ended)) })
  }

  /** Where the order goes on. Those others have caught up with are forgotten. */
  recover(): FairState {
    const virtualTime = this.#statements.clock.get() ?? 0
    this.#statements.prune.run(virtualTime)
    return {
      virtualTime,
      finishes: this.#statements.finishes.all().map(({ userId, finish }) => [userId, finish] as const),
    }
  }
}

interface Finish {
  readonly userId: string
  readonly finish: number
}

/** The columns of a request's claim under the names of its fields. */
export const CLAIM_FIELDS = `tier, share_start AS shareStart, share_weight AS shareWeight, cost_estimate AS costEstimate`

function prepareFairStatements(database: Database) {
  return {
    claimOf: database.prepare<[requestId: string], Claim & { userId: string }>(
      // The plus keeps SQLite from reading all that its user has ever asked: few came in after it.
      `SELECT user_id AS userId, ${CLAIM_FIELDS} FROM requests AS ended WHERE id = ? AND NOT EXISTS
         (SELECT 1 FROM requests WHERE +user_id = ended.user_id AND admission > ended.admission)`,
    ),
    setFinish: database.prepare<[Finish]>(
      `INSERT INTO fair_finishes (user_id, finish) VALUES (@userId, @finish)
         ON CONFLICT (user_id) DO UPDATE SET finish = excluded.finish`,
    ),
    setClock: database.prepare<[virtualTime: number]>(
      `INSERT INTO fair_clock (id, virtual_time) VALUES (1, ?)
         ON CONFLICT (id) DO UPDATE SET virtual_time = max(virtual_time, excluded.virtual_time)`,
    ),
    clock: database.prepare<[], number>('SELECT virtual_time FROM fair_clock').pluck(),
    finishes: database.prepare<[], Finish>('SELECT user_id AS userId, finish FROM fair_finishes ORDER BY user_id'),
    prune: database.prepare<[virtualTime: number]>('DELETE FROM fair_finishes WHERE finish <= ?'),
  }
}
