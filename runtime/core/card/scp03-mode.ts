/** The two modes of SCP03: how long its challenges, cryptograms and sent MACs are. */

export const scp03Modes = ['s8', 's16'] as const;
/** S16 is of Amendment D v1.2. The host's challenge chooses; a card of the other mode refuses it. */
export type Scp03Mode = (typeof scp03Modes)[number];

/** Bytes of a challenge, a cryptogram and a sent MAC; all 16 of a MAC go into the chain in both modes. */
export function modeBytesOf(mode: Scp03Mode): 8 | 16 {
  return mode === 's8' ? 8 : 16;
}

/** The mode that a challenge, a cryptogram or a MAC of so many bytes belongs to. @throws RangeError */
export function modeOfBytes(bytes: number): Scp03Mode {
  if (bytes !== 8 && bytes !== 16) throw new RangeError('a challenge has 8 bytes, or 16');
  return bytes === 8 ? 's8' : 's16';
}
