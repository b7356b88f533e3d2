/** An instant as each reader's own client writes it, ms since epoch: date and time. */
export function dateAndTime(atMs: number): string {
  return `<t:${Math.floor(atMs / 1000)}:f>`
}

/** How long ago an instant is, as each reader's own client writes it. */
export function timeAgo(atMs: number): string {
  return `<t:${Math.floor(atMs / 1000)}:R>`
}
