import { BroadcastChannel } from 'node:worker_threads'

/** Keeps its thread alive until the test says `end` on the channel; says `ready` first. */
const channel = new BroadcastChannel('stubborn thread')
channel.onmessage = () => channel.close()
channel.postMessage('ready')
