/** The published vectors, by kind; where each comes from stands in its `source`. */
import { readFileSync } from 'node:fs';

export interface Vector {
  readonly id: string;
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own form, checked by the test that reads it
  readonly inputs: any;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly expected: any;
}

const all = (JSON.parse(readFileSync('test/vectors/vectors.json', 'utf8')) as { vectors: readonly Vector[] })
  .vectors;

export function vectorsOf(kind: string): readonly Vector[] {
  const found = all.filter((vector) => vector.kind === kind);
  if (found.length === 0) throw new Error(`no vectors of kind ${kind}`);
  return found;
}
