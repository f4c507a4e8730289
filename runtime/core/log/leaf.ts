/**
 * Leaves of the fleet log: canonical bytes of what happened. Stored and hashed as they are; never
 * re-serialised to verify.
 */
import { z } from 'zod';
import { type Bytes, fromText, toText } from '../bytes.ts';
import { canonicalJson, type Json } from '../canonical-json.ts';

export const leafKinds = [
  'registration',
  'confirmation',
  'rejection',
  'appearance',
  'station-event',
  'refusal',
  'close-out',
  'station-revocation',
  'station-enrolment',
  'station-refusal',
  'ceremony',
  'revocation',
  'issued-certificates',
  'trust-list',
  'timestamp',
  'unit-life',
] as const;
export type LeafKind = (typeof leafKinds)[number];

/** `key` is unique in the log: the same event appended again finds its first leaf. */
export interface Leaf {
  readonly kind: LeafKind;
  readonly key: string;
  readonly entry: Bytes;
}

export function leafOf(kind: LeafKind, key: string, at: string, body: Readonly<Record<string, Json>>): Leaf {
  return { kind, key, entry: fromText(canonicalJson({ contract: 'holdfast/leaf-1', kind, key, at, body })) };
}

const leafText = z.strictObject({
  contract: z.literal('holdfast/leaf-1'),
  kind: z.enum(leafKinds),
  key: z.string(),
  at: z.string(),
  body: z.record(z.string(), z.unknown()),
});
export type LeafText = z.output<typeof leafText>;

/** What a leaf says; null when the bytes are no leaf of ours. */
export function readLeaf(entry: Bytes): LeafText | null {
  let value: unknown;
  try {
    value = JSON.parse(toText(entry));
  } catch {
    return null; // The caller says what is wrong.
  }
  const read = leafText.safeParse(value);
  return read.success ? read.data : null;
}
