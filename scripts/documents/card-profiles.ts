/** What differs between cards, from the card profiles. */
import { toHex } from '../../runtime/core/bytes.ts';
import type { KeyPairProfile } from '../../runtime/core/card/key-pair.ts';
import { type CardProfile, modeIn } from '../../runtime/core/card/profile.ts';
import { code, table } from './parts.ts';

export function cardProfileTable(profiles: Readonly<Record<string, CardProfile>>): string {
  return table(
    [
      'Card profile',
      'Keys',
      'Mode, i',
      'PUT KEY',
      'Transport set',
      'Key pair, certificate',
      'Identity',
      'Key-DEK: tried, promised',
    ],
    Object.values(profiles).map((profile) => [
      code(profile.name),
      profile.algorithm,
      `${modeIn(profile)}, ${profile.scp03Parameters.map((i) => code(hexOf(i))).join(' ')}`,
      profile.putKeyForm,
      code(hexOf(profile.transportKeyVersion)),
      keyPairText(profile.keyPair),
      profile.identity,
      `${profile.proof.tried}, ${profile.proof.promised}`,
    ]),
  );
}

function keyPairText(keyPair: KeyPairProfile): string {
  switch (keyPair.kind) {
    case 'piv':
      return `PIV-shaped, slot ${code(hexOf(keyPair.slot))}, object ${code(keyPair.certificateObject)}, ${keyPair.chaining}`;
    case 'se05x':
      return `SE05x-shaped, objects ${code(wideHex(keyPair.keyObject))} and ${code(wideHex(keyPair.certificateObject))}`;
    case 'none':
      return 'none';
  }
}

function hexOf(byte: number): string {
  return toHex(Uint8Array.of(byte)).toUpperCase();
}

function wideHex(value: number): string {
  return value.toString(16).padStart(8, '0').toUpperCase();
}
