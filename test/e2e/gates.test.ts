import { describe, expect, it } from 'vitest'
import { ProjectCopy } from '#support/project-copy.ts'

/** Each check reads the whole project. */
const TIMEOUT_MS = 60_000

describe('the checks of the project', { timeout: TIMEOUT_MS }, () => {
  it('are green as it stands', async () => {
    const copy = new ProjectCopy()
    for (const script of ['check:format', 'check:lint', 'check:dead-code']) {
      const { exitCode, output } = await copy.run(script)
      expect(exitCode, `${script}: ${output}`).toBe(0)
    }
  })

  it.each([
    { how: 'by its name', from: '#pool/piscina-pool.ts' },
    { how: 'by its path', from: '../pool/piscina-pool.ts' },
  ])('refuse a room that imports another $how', async ({ from }) => {
    const copy = new ProjectCopy()
    copy.write('src/queue/planted.ts', `export type { PoolOptions as Planted } from '${from}'\n`)
    const { exitCode, output } = await copy.run('check:format')
    expect(exitCode).not.toBe(0)
    expect(output).toMatch(/^src\/queue\/planted\.ts:1:\d+ lint\/style\/noRestrictedImports/m)
  })

  it('refuse a promise that nobody waits for', async () => {
    const copy = new ProjectCopy()
    copy.write('src/queue/planted.ts', 'export function planted(work: () => Promise<void>): void {\n  work()\n}\n')
    const { exitCode, output } = await copy.run('check:lint')
    expect(exitCode).not.toBe(0)
    expect(output).toContain('no-floating-promises')
    expect(output).toContain('src/queue/planted.ts:2:3')
  })

  it('refuse an export that nobody imports', async () => {
    const copy = new ProjectCopy()
    copy.append('src/domain/uuid.ts', '\nexport const PLANTED = 1\n')
    const { exitCode, output } = await copy.run('check:dead-code')
    expect(exitCode).not.toBe(0)
    expect(output).toMatch(/PLANTED\s+src\/domain\/uuid\.ts/)
  })
})
