import { describe, expect, it } from 'vitest'
import { ProjectCopy } from '#support/project-copy.ts'
import { PLANTED_BUGS } from './planted-bugs.ts'

describe('the tests', () => {
  it('are green when no bug is planted', async () => {
    const files = new Set(PLANTED_BUGS.flatMap(({ tests }) => tests))
    const { exitCode, output } = await new ProjectCopy().test([...files])
    expect(exitCode, output).toBe(0)
  })

  it.each(PLANTED_BUGS)('find it when $name', async ({ file, replace, by, tests }) => {
    const copy = new ProjectCopy()
    copy.replace(file, replace, by)
    const { exitCode, output } = await copy.test(tests)
    expect(exitCode, output).not.toBe(0)
    // Not because something else is wrong, such as a file that is not there.
    expect(output).toMatch(/FAIL +test\//)
  })
})
