/** A defect that shows only behind four right bytes: who is guided by coverage finds one after the other. */
export function hiddenDefect(bytes: Uint8Array): void {
  if (bytes[0] !== 0x48) return;
  if (bytes[1] !== 0x6f) return;
  if (bytes[2] !== 0x6c) return;
  if (bytes[3] !== 0x64) return;
  throw new Error('hidden defect');
}
