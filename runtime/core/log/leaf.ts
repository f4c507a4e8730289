/**
 * Leaves of the fleet log: canonical bytes of what happened. Stored and hashed as they are; never
 * re-serialised to verify.
 */
import { type Bytes, fromText } from '../bytes.ts';
import { canonicalJson, type Json } from '../canonical-json.ts';

export type LeafKind = 'registration' | 'confirmation' | 'rejection' | 'station-event' | 'reservation';

/** `key` is unique in the log: the same event appended again finds its first leaf. */
export interface Leaf {
  readonly kind: LeafKind;
  readonly key: string;
  readonly entry: Bytes;
}

export function leafOf(kind: LeafKind, key: string, at: string, body: Readonly<Record<string, Json>>): Leaf {
  return { kind, key, entry: fromText(canonicalJson({ contract: 'holdfast/leaf-1', kind, key, at, body })) };
}
