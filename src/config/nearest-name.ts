/** Finds the known key that was most likely meant by a misspelt or misplaced one; undefined when none comes near. */
export function nearestName(unknown: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, distance: Math.min(distance(unknown, name), distance(lastPart(unknown), lastPart(name))) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best && best.distance <= Math.ceil(simplify(lastPart(unknown)).length / 4) ? best.name : undefined
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1)
}

function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '')
}

/** Levenshtein distance that ignores case, dashes and underscores. */
function distance(left: string, right: string): number {
  const a = simplify(left)
  const b = simplify(right)
  // Keys of a configuration are short; a long text is no misspelling of one.
  if (Math.abs(a.length - b.length) > 20) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let index = 0; index < a.length; index++) {
    const next = [index + 1]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (a[index] === b[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
