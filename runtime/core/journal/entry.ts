/**
 * Entries of the station's journal and the hash chain that binds them: a gap, a change, a swap or another
 * station's journal shows. The chain has no key, so that backend and technician can verify it.
 */
import { type Bytes, bigEndian, concat, fromHex, fromText, toHex } from '../bytes.ts';
import { canonicalJson, type Json } from '../canonical-json.ts';
import type { Fact } from '../operation/facts.ts';

/** What a program wants to make durable. */
export interface NewEntry {
  readonly fact: Fact;
  /** Wall clock of the station, milliseconds since 1970; informs people, decides nothing. */
  readonly at: number;
}

/** A durable entry. `text` is the stored form: the chain covers these bytes, nobody re-serialises them. */
export interface JournalEntry extends NewEntry {
  /** From 0, without gaps. */
  readonly sequence: number;
  readonly text: string;
  /** SHA-256 of the previous hash, the sequence (8 bytes, big endian) and the text; hexadecimal. */
  readonly hash: string;
}

/** Names an entry: its sequence, and its hash, which covers all before it too. */
export interface EntryMark {
  readonly sequence: number;
  readonly hash: string;
}

/** What the chain starts from; binds the journal to its station. */
export interface Genesis {
  readonly journal: string;
  readonly station: string;
  /** ISO 8601, UTC. */
  readonly created: string;
}

export type Sha256 = (data: Bytes) => Bytes;

export function genesisHash(genesis: Genesis, sha256: Sha256): string {
  return toHex(sha256(fromText(canonicalJson({ ...genesis }))));
}

/** The entry that follows one with `previousHash`. */
export function chain(entry: NewEntry, sequence: number, previousHash: string, sha256: Sha256): JournalEntry {
  const text = canonicalJson({ sequence, at: entry.at, fact: entry.fact as unknown as Json });
  return { ...entry, sequence, text, hash: chainHash(text, sequence, previousHash, sha256) };
}

export function chainHash(text: string, sequence: number, previousHash: string, sha256: Sha256): string {
  return toHex(sha256(concat(fromHex(previousHash), bigEndian(sequence, 8), fromText(text))));
}
