/** What a receipt says of the log: the leaf's place, its proof, and that the log only grew. */
import { type Bytes, toBase64, toHex } from '../core/bytes.ts';
import type { Committed } from './sequencer.ts';

export interface LogPlace {
  readonly leafIndex: number;
  /** The leaf's bytes, base64. */
  readonly leaf: string;
  readonly inclusionProof: string[];
  readonly consistencyProof: string[];
  readonly knownTreeSize: number;
  readonly checkpoint: string;
}

/** `knownTreeSize`: the size the station verified last; one that this log never had gets no proof. */
export function placeInLog(
  leaf: { readonly index: number; readonly entry: Bytes },
  knownTreeSize: number,
  log: Committed,
): LogPlace {
  const provable = knownTreeSize > 0 && knownTreeSize <= log.size;
  return {
    leafIndex: leaf.index,
    leaf: toBase64(leaf.entry),
    inclusionProof: log.tree.inclusionProof(leaf.index, log.size).map(toHex),
    consistencyProof: provable ? log.tree.consistencyProof(knownTreeSize, log.size).map(toHex) : [],
    knownTreeSize,
    checkpoint: log.checkpoint,
  };
}
