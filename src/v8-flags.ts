import { setFlagsFromString } from 'node:v8'

/**
 * To be loaded before any thread is started. What carries calls between WebAssembly and JavaScript is shared by all
 * threads, and V8 compiles it anew after a thousand calls; V8 13.6 can free it there while another thread does the same,
 * and then ends the process ("Check failed: jit_page.has_value()", as in nodejs/node#64500). Every thread of ours makes
 * such calls, to read TypeScript and HTTP. So it is never compiled anew.
 */
setFlagsFromString('--wasm-wrapper-tiering-budget=2147483647')
