/** Stands in for a thread that unpacks a PDF to more than anybody should hold, and goes on with it. */
const held: Buffer[] = []
while (held.length < 100) held.push(Buffer.alloc(4 * 1024 * 1024, held.length))
setInterval(() => held.at(-1), 1_000)
