/**
 * Offline proofs that a unit's record was logged: a small file that verifies with public keys alone, by whoever has the
 * record, for as long as anybody has the keys. `extra` is the leaf of the log, which names the hash of the record; the
 * form says nothing of who wrote it, the inclusion proof does.
 *
 * @example
 * c2sp.org/tlog-proof@v1
 * extra eyJhdCI6…
 * index 7
 * 9k2b…
 *
 * log.example
 * 12
 * …
 *
 * @see https://c2sp.org/tlog-proof
 */
import { type Bytes, toBase64, toHex } from '../bytes.ts';
import type { Crypto } from '../ports.ts';
import { type LeafText, readLeaf } from './leaf.ts';
import { canonicalBase64 } from './note.ts';
import { judgeNote, type Policy, type Witnessed } from './policy.ts';
import { HASH_BYTES, leafHash, verifyInclusion } from './tree.ts';

export interface LogProof {
  readonly index: number;
  /** The leaf's sibling first, 32 bytes each. */
  readonly hashes: readonly Bytes[];
  /** Not authenticated by itself; null where there is none. */
  readonly extra: Bytes | null;
  /** A note with the signature of the log and the cosignatures. */
  readonly checkpoint: string;
}

const HEADING = 'c2sp.org/tlog-proof@v1';
const HASHES_MAX = 63;

export function proofText({ index, hashes, extra, checkpoint }: LogProof): string {
  const lines = [
    HEADING,
    ...(extra === null ? [] : [`extra ${toBase64(extra)}`]),
    `index ${index}`,
    ...hashes.map(toBase64),
    '',
  ];
  return `${lines.join('\n')}\n${checkpoint}`;
}

/** Null for a text of another form. */
export function readProof(text: string): LogProof | null {
  const split = text.indexOf('\n\n');
  if (split < 0) return null;
  const [heading, ...lines] = text.slice(0, split).split('\n');
  if (heading !== HEADING) return null;
  const given = lines[0]?.startsWith('extra ') ? lines.shift() : undefined;
  const extra = given === undefined ? null : canonicalBase64(given.slice('extra '.length));
  const [, index] = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? '') ?? [];
  if ((given !== undefined && extra === null) || index === undefined) return null;
  if (!Number.isSafeInteger(Number(index)) || lines.length > HASHES_MAX) return null;
  const hashes: Bytes[] = [];
  for (const line of lines) {
    const hash = canonicalBase64(line);
    if (hash?.length !== HASH_BYTES) return null;
    hashes.push(hash);
  }
  return { index: Number(index), hashes, extra, checkpoint: text.slice(split + 2) };
}

/** What a proof proves of a record. */
export interface Proved extends Witnessed {
  readonly leaf: LeafText;
  readonly index: number;
}

/**
 * Whether this very record was logged, under a checkpoint that the log signed and enough witnesses cosigned; in words
 * why not. @param record canonical JSON of the identity record, as bytes
 */
export function judgeProof(text: string, record: Bytes, policy: Policy, crypto: Crypto): Proved | string {
  const proof = readProof(text);
  if (proof === null) return 'this is no proof of version 1';
  if (proof.extra === null) return 'the proof does not hold the leaf of the log';
  const leaf = readLeaf(proof.extra);
  if (leaf?.kind !== 'registration') return 'the leaf is not one of an identity record';
  if (leaf.body.recordHash !== toHex(crypto.sha256(record))) return 'the leaf is of another record';
  const judged = judgeNote(proof.checkpoint, policy, crypto);
  if (typeof judged === 'string') return judged;
  const { size, root } = judged.checkpoint;
  const hash = leafHash(proof.extra, crypto.sha256);
  const claim = { index: proof.index, size, leaf: hash, proof: proof.hashes, root };
  if (!verifyInclusion(claim, crypto.sha256)) return 'the leaf is not in the log of this checkpoint';
  if (!judged.quorum) return 'the witnesses who cosigned are not enough for this policy';
  return { ...judged, leaf, index: proof.index };
}
