import type { Database } from 'better-sqlite3'
import { expect, it } from 'vitest'
import { RequestRecords } from '#database/request-records.ts'
import { newDatabase } from '#support/stored-database.ts'
import { requestOf, settlementOf, turnOf } from '#support/stored-requests.ts'

/** The same connection, and the text of all that was run on it. */
function watched(connection: Database): { readonly connection: Database; readonly executed: ReadonlySet<string> } {
  const executed = new Set<string>()
  const prepare = (sql: string) => {
    const statement = connection.prepare(sql)
    const watch = (target: typeof statement): typeof statement =>
      new Proxy(target, {
        get: (_, name) => {
          const value: unknown = Reflect.get(target, name, target)
          if (typeof value !== 'function') return value
          if (name === 'pluck') return () => watch(target.pluck())
          return (...parameters: unknown[]): unknown => {
            executed.add(sql)
            return Reflect.apply(value, target, parameters)
          }
        },
      })
    return watch(statement)
  }
  const proxy = new Proxy(connection, {
    get: (target, name) => (name === 'prepare' ? prepare : Reflect.get(target, name)),
  })
  return { connection: proxy, executed }
}

/** How SQLite goes about a statement, a line for each table. */
function planOf(connection: Database, sql: string): string[] {
  const names = [...sql.matchAll(/@(\w+)/gu)].map(([, name]) => [name, null])
  const places = [...sql.matchAll(/\?/gu)].map(() => null)
  const plan = connection.prepare<unknown[], { readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
  const rows = names.length > 0 ? plan.all(Object.fromEntries(names)) : plan.all(...places)
  return rows.map(({ detail }) => detail)
}

it('what a request costs the database does not grow with all that was ever asked, by its user or by others', () => {
  const database = newDatabase()
  const { connection, executed } = watched(database.connection)
  const records = new RequestRecords(connection, () => 0)
  const [first, second] = [requestOf('first', { userId: 'ann' }), requestOf('second', { userId: 'ann' })]
  records.accept(first)
  records.amend('first', 'more', 'another message')
  records.start('first', 1, 0, 0)
  records.requeue('first', 1, true)
  records.start('first', 2, 0, 0)
  records.saveTurn(turnOf(first, { attempt: 2, messages: ['an answer'] }))
  records.setStatusMessage('first', 'status')
  records.markDelivered('first', ['status'])
  records.accept({ ...second, replaces: 'first' })
  records.settle(settlementOf('second', 0))
  records.abandonDelivery('second', 'gone')
  expect(executed.size).toBeGreaterThan(15)
  const plans = [...executed].map((sql) => ({ sql, plan: planOf(database.connection, sql) }))
  // An index by user or conversation finds all of it; only one that goes on with a bound or in the order wanted finds little.
  const growing = plans.filter(({ sql, plan }) =>
    plan.some(
      (line) => /^SCAN (?:requests|messages|outbox)|USING .*INDEX \w+ \(user_id=\?/u.test(line) && !/LIMIT/u.test(sql),
    ),
  )
  expect(growing).toEqual([])
})
