export interface BarGroup {
  readonly label: string
  /** One for each series. */
  readonly values: readonly number[]
}

interface BarChart {
  readonly title: string
  readonly series: readonly string[]
  readonly groups: readonly BarGroup[]
}

const BAR_WIDTH = 40
const GAP = 36
const HEIGHT = 260
const [LEFT, TOP, BOTTOM] = [16, 76, 36]
/** Told apart also by people who do not see colours as most do. */
const COLORS = ['#9aa5b1', '#d98e04', '#1769aa']

/** Bars side by side, as an SVG image that says its numbers, too. */
export function barChart({ title, series, groups }: BarChart): string {
  const groupWidth = series.length * BAR_WIDTH + GAP
  const width = Math.max(640, LEFT * 2 + groups.length * groupWidth)
  const highest = Math.max(1, ...groups.flatMap(({ values }) => values))
  const bars = groups.flatMap(({ label, values }, group) => {
    const x = LEFT + group * groupWidth + GAP / 2
    const middle = x + (series.length * BAR_WIDTH) / 2
    return [
      ...values.map((value, index) => bar(value, (HEIGHT * value) / highest, x + index * BAR_WIDTH, index)),
      `<text x="${middle}" y="${TOP + HEIGHT + 22}" text-anchor="middle">${label}</text>`,
    ]
  })
  const legend = series.map((name, index) => {
    const x = LEFT + index * 190
    const box = `<rect x="${x}" y="42" width="12" height="12" fill="${COLORS[index]}"/>`
    return `${box}<text x="${x + 18}" y="53">${name}</text>`
  })
  const size = `width="${width}" height="${TOP + HEIGHT + BOTTOM}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="13" role="img" aria-label="${title}">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="${LEFT}" y="26" font-size="15" font-weight="bold">${title}</text>`,
    ...legend,
    ...bars,
    '</svg>\n',
  ].join('\n')
}

function bar(value: number, height: number, x: number, series: number): string {
  const y = TOP + HEIGHT - height
  const rect = `<rect x="${x}" y="${y.toFixed(1)}" width="${BAR_WIDTH - 4}" height="${height.toFixed(1)}" fill="${COLORS[series]}"/>`
  return `${rect}<text x="${x + (BAR_WIDTH - 4) / 2}" y="${(y - 5).toFixed(1)}" text-anchor="middle" font-size="11">${value.toFixed(1)}</text>`
}
