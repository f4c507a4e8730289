/**
 * The Merkle tree of the fleet log: roots, inclusion and consistency proofs, and their verification.
 *
 * @see RFC 6962 section 2.1
 */
import { type Bytes, concat, equal } from '../bytes.ts';

export type Sha256 = (data: Bytes) => Bytes;

/** Size of a node in bytes. */
export const HASH_BYTES = 32;

/** A leaf and a node differ in their first byte, so that neither can be shown as the other. */
export function leafHash(entry: Bytes, sha256: Sha256): Bytes {
  return sha256(concat(Uint8Array.of(0x00), entry));
}

/** 32 bytes each. */
export function nodeHash(left: Bytes, right: Bytes, sha256: Sha256): Bytes {
  return sha256(concat(Uint8Array.of(0x01), left, right));
}

/** A tree that only grows; `truncate` undoes what was appended but not committed. */
export class MerkleTree {
  /** `levels[k][i]`: root of the perfect subtree over leaves [i * 2^k, (i + 1) * 2^k). */
  readonly #levels: Bytes[][] = [[]];
  readonly #sha256: Sha256;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  get size(): number {
    return this.#levels[0]?.length ?? 0;
  }

  /** Appends one leaf hash; its index is the size before. */
  append(leaf: Bytes): void {
    let node = leaf;
    for (let level = 0; ; level++) {
      const row = this.#row(level);
      row.push(node);
      const left = row[row.length - 2];
      if (row.length % 2 === 1 || left === undefined) return;
      node = nodeHash(left, node, this.#sha256);
    }
  }

  /** The hash of one leaf. @throws RangeError when there is none */
  leaf(index: number): Bytes {
    const leaf = this.#levels[0]?.[index];
    if (leaf === undefined) throw new RangeError('no such leaf');
    return leaf;
  }

  /** The hash of leaves [index * 2^level, (index + 1) * 2^level). @throws RangeError unless all of them are there */
  node(level: number, index: number): Bytes {
    const node = this.#levels[level]?.[index];
    if (node === undefined) throw new RangeError('no such subtree');
    return node;
  }

  /** Forgets every leaf from index `size` on. */
  truncate(size: number): void {
    this.#levels.forEach((row, level) => {
      row.length = Math.min(row.length, Math.floor(size / 2 ** level));
    });
  }

  root(size: number = this.size): Bytes {
    return size === 0 ? this.#sha256(new Uint8Array(0)) : this.#range(0, size);
  }

  /** PATH(index, D[size]), the leaf's sibling first. @throws RangeError when index >= size or size > this.size */
  inclusionProof(index: number, size: number = this.size): readonly Bytes[] {
    if (index < 0 || index >= size || size > this.size) throw new RangeError('no such leaf');
    const proof: Bytes[] = [];
    let [start, end] = [0, size];
    while (end - start > 1) {
      const middle = start + largestPowerBelow(end - start);
      if (index < middle) {
        proof.push(this.#range(middle, end));
        end = middle;
      } else {
        proof.push(this.#range(start, middle));
        start = middle;
      }
    }
    return proof.reverse();
  }

  /** PROOF(first, D[second]). @throws RangeError unless 0 < first <= second <= this.size */
  consistencyProof(first: number, second: number = this.size): readonly Bytes[] {
    if (first <= 0 || first > second || second > this.size) throw new RangeError('no such sizes');
    const proof: Bytes[] = [];
    let [start, end, whole] = [0, second, true];
    while (first !== end) {
      const middle = start + largestPowerBelow(end - start);
      if (first <= middle) {
        proof.push(this.#range(middle, end));
        end = middle;
      } else {
        proof.push(this.#range(start, middle));
        start = middle;
        whole = false;
      }
    }
    if (!whole) proof.push(this.#range(start, end));
    return proof.reverse();
  }

  /** MTH(D[start:end]); `start` is a multiple of the largest power of two below the length. */
  #range(start: number, end: number): Bytes {
    const length = end - start;
    const level = Math.log2(length);
    if (Number.isInteger(level)) {
      const node = this.#levels[level]?.[start / length];
      if (node !== undefined) return node;
    }
    const middle = start + largestPowerBelow(length);
    return nodeHash(this.#range(start, middle), this.#range(middle, end), this.#sha256);
  }

  #row(level: number): Bytes[] {
    const row = this.#levels[level] ?? [];
    this.#levels[level] = row;
    return row;
  }
}

/** The largest power of two smaller than `n`, n > 1. */
export function largestPowerBelow(n: number): number {
  return 2 ** Math.ceil(Math.log2(n) - 1);
}

export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leaf: Bytes;
  readonly proof: readonly Bytes[];
  readonly root: Bytes;
}

/** RFC 9162 section 2.1.3.2. */
export function verifyInclusion(claim: InclusionClaim, sha256: Sha256): boolean {
  const { index, size, leaf, proof, root } = claim;
  if (!isIndex(index) || !isIndex(size) || index >= size) return false;
  if (![leaf, root, ...proof].every((hash) => hash.length === HASH_BYTES)) return false;
  let [fn, sn] = [index, size - 1];
  let hash = leaf;
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash, sha256);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else hash = nodeHash(hash, sibling, sha256);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equal(hash, root);
}

export interface ConsistencyClaim {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Bytes;
  readonly secondRoot: Bytes;
  readonly proof: readonly Bytes[];
}

/** RFC 9162 section 2.1.4.2. From size 0 there is no proof: the caller starts without one. */
export function verifyConsistency(claim: ConsistencyClaim, sha256: Sha256): boolean {
  const { first, second, firstRoot, secondRoot, proof } = claim;
  if (!isIndex(first) || !isIndex(second) || first === 0 || first > second) return false;
  if (first === second) return proof.length === 0 && equal(firstRoot, secondRoot);
  if (![firstRoot, secondRoot, ...proof].every((hash) => hash.length === HASH_BYTES)) return false;
  const path = Number.isInteger(Math.log2(first)) ? [firstRoot, ...proof] : proof;
  const [start, ...rest] = path;
  if (proof.length === 0 || start === undefined) return false;
  let [fn, sn] = [first - 1, second - 1];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  let [fr, sr] = [start, start];
  for (const node of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(node, fr, sha256);
      sr = nodeHash(node, sr, sha256);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else sr = nodeHash(sr, node, sha256);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equal(fr, firstRoot) && equal(sr, secondRoot);
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
