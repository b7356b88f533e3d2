/** Fills this thread's heap with many small objects: V8 ends a process in which one piece does not fit. */
export function exhaustHeap(): never {
  const kept: object[] = []
  for (;;) kept.push({ number: kept.length, list: [kept.length] })
}
