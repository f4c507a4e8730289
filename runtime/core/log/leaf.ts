/**
 * Leaves of the fleet log: canonical bytes of what happened. Stored and hashed as they are; never
 * re-serialised to verify.
 */
import { z } from 'zod';
import { type Bytes, fromText, toHex, toText } from '../bytes.ts';
import { canonicalJson, type Json } from '../canonical-json.ts';
import { ENTRY_BYTES_MAX } from './tile.ts';
import type { Sha256 } from './tree.ts';

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
  'operator',
  'shift',
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

/**
 * The leaf of an event that may name any number of things. Where it does not fit into one entry, lists stand in it as
 * their number and their hash over canonical JSON, the longest first; they themselves are kept in rows that name the leaf.
 */
export function fittingLeafOf(
  kind: LeafKind,
  key: string,
  at: string,
  body: Readonly<Record<string, Json>>,
  sha256: Sha256,
): Leaf {
  let fitting = body;
  for (;;) {
    const leaf = leafOf(kind, key, at, fitting);
    if (leaf.entry.length <= ENTRY_BYTES_MAX) return leaf;
    const lists = Object.entries(fitting).filter(([, value]) => Array.isArray(value));
    const [longest] = lists
      .map(([field, value]) => ({ field, value, text: fromText(canonicalJson(value)) }))
      .sort((a, b) => b.text.length - a.text.length);
    // What is too large for other reasons is refused where it is appended.
    if (longest === undefined) return leaf;
    const count = Array.isArray(longest.value) ? longest.value.length : 0;
    fitting = { ...fitting, [longest.field]: { count, sha256: toHex(sha256(longest.text)) } };
  }
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
