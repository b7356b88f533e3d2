/**
 * Makes a UUIDv7 (RFC 9562, section 5.7): 48 bits of time in ms, then random bits, so ids sort by creation.
 *
 * @param random 16 random bytes; they are overwritten.
 */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  const bytes = random
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, Math.floor(nowMs / 0x10000))
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(4, nowMs % 0x10000)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
