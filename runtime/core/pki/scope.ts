/**
 * The scope of an intermediate: what it may issue for. It stands in a private extension of its own certificate, so
 * that no device certificate pays for it, and is held against what the device certificate says of itself: standard
 * verifiers do not look, ours do.
 */
import { type Bytes, fromText, toText } from '../bytes.ts';
import type { ParsedTbs } from './certificate.ts';
import { contextTag, der, members, type Node, sequence, Tag } from './der.ts';

/** Null where it is not limited. */
export interface Scope {
  readonly product: string | null;
  readonly batch: string | null;
  readonly region: string | null;
}

/** In the order of their tags. */
export const scopeParts = ['product', 'batch', 'region'] as const;
export type ScopePart = (typeof scopeParts)[number];

export const unlimited: Scope = { product: null, batch: null, region: null };

/** SEQUENCE { product [0], batch [1], region [2] UTF8String, each OPTIONAL }. */
export function scopeValue(scope: Scope): Bytes {
  return sequence(
    ...scopeParts.flatMap((part, tag) => {
      const text = scope[part];
      return text === null ? [] : [der(contextTag(tag, false), fromText(text))];
    }),
  );
}

/** @throws RangeError when it has another form */
export function readScope(value: Node): Scope {
  const parts = members(value, Tag.sequence);
  const textOf = (tag: number): string | null => {
    const found = parts.find((part) => part.tag === contextTag(tag, false));
    return found === undefined ? null : toText(found.content);
  };
  const scope = { product: textOf(0), batch: textOf(1), region: textOf(2) };
  if (parts.length !== scopeParts.filter((part) => scope[part] !== null).length)
    throw new RangeError('not a scope');
  return scope;
}

/** A name covers itself; with `*` at its end it covers every name that begins so, as a product line its batches. */
export function covers(name: string, other: string): boolean {
  return name.endsWith('*') ? other.startsWith(name.slice(0, -1)) : name === other;
}

/** What of the scope the device certificate does not keep; a device that does not say it does not keep it. */
export function outsideScope(
  scope: Scope,
  { manufacturing }: Pick<ParsedTbs, 'manufacturing'>,
): readonly ScopePart[] {
  return scopeParts.filter((part) => {
    const [limit, said] = [scope[part], manufacturing?.[part] ?? null];
    return limit !== null && (said === null || !covers(limit, said));
  });
}
