import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isMap, isPair, isScalar, parse, parseDocument } from 'yaml'
import { SETTING_KEYS } from '#config/schema.ts'

const defaults = readConfig('default.yaml')
const variables = readConfig('custom-environment-variables.yaml')

function readConfig(file: string): string {
  return readFileSync(new URL(`../../config/${file}`, import.meta.url), 'utf8')
}

/** The settings of a file as `section.name`, in its order. */
function keysOf(content: string): string[] {
  const sections: Record<string, Record<string, unknown>> = parse(content)
  return Object.entries(sections).flatMap(([section, settings]) =>
    Object.keys(settings).map((name) => `${section}.${name}`),
  )
}

/** The comment lines directly above each setting. */
function commentsAbove(content: string): Map<string, string[]> {
  const allLines = content.split('\n')
  const comments = new Map<string, string[]>()
  const root = parseDocument(content).contents
  for (const section of isMap(root) ? root.items : []) {
    for (const setting of isPair(section) && isMap(section.value) ? section.value.items : []) {
      const start = isScalar(setting.key) ? (setting.key.range?.[0] ?? 0) : 0
      let line = content.slice(0, start).split('\n').length - 2
      const above: string[] = []
      for (; allLines[line]?.startsWith('  # '); line--) above.unshift(allLines[line]?.slice(4) ?? '')
      comments.set(`${String(section.key)}.${String(setting.key)}`, above)
    }
  }
  return comments
}

describe('the configuration files', () => {
  test('name the same settings as the schema, in the same order', () => {
    expect(keysOf(defaults)).toEqual(SETTING_KEYS)
    expect(keysOf(variables)).toEqual(SETTING_KEYS)
  })

  test('give every setting an environment variable of its own', () => {
    const sections: Record<string, Record<string, string>> = parse(variables)
    const names = Object.values(sections).flatMap((settings) => Object.values(settings))
    expect(new Set(names).size).toBe(SETTING_KEYS.length)
    for (const name of names) expect(name).toMatch(/^(DISCORD|OPENAI|PARLEY|LOG)_[A-Z_]+$/)
  })

  test('explain every default in a comment that ends with it', () => {
    const comments = commentsAbove(defaults)
    expect([...comments.keys()]).toEqual(SETTING_KEYS)
    for (const [key, comment] of comments) {
      expect(comment.join(' '), key).toMatch(/^[A-Z].{15,}$/)
      if (key !== 'database.path') expect(comment.join(' '), key).toMatch(/Default: /)
    }
  })

  test('explain durations as durations', () => {
    for (const [key, comment] of commentsAbove(defaults)) {
      const isDuration =
        /(Interval|[tT]imeout|Delay|[gG]race|Age|Pause|debounce|retention|Backoff|After|maxWait)$/.test(key)
      expect(comment.join(' ').startsWith('Duration: '), key).toBe(isDuration)
    }
  })
})
