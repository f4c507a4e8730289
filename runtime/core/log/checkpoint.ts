/**
 * Checkpoints of the fleet log: origin, size and root as the text of a note that the log signs.
 *
 * @see https://c2sp.org/tlog-checkpoint
 */
import { type Bytes, toBase64 } from '../bytes.ts';
import type { Crypto } from '../ports.ts';
import { canonicalBase64, type NoteKey, openNote } from './note.ts';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Bytes;
}

const ROOT_BYTES = 32;

export function checkpointText(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`;
}

/** A verified checkpoint, or null when the note is not one that `key` signed. */
export function openCheckpoint(note: string, key: NoteKey, crypto: Crypto): Checkpoint | null {
  const text = openNote(note, [key], crypto);
  return text === null ? null : parseCheckpoint(text, key.name);
}

/** Reads the text of a checkpoint; null when it has another form or another origin. Lines of extensions are passed
 * over: no statement is made about them. */
export function parseCheckpoint(text: string, origin: string): Checkpoint | null {
  const [first, size, root, ...rest] = text.split('\n');
  if (origin === '' || first !== origin || size === undefined || root === undefined) return null;
  if (rest.pop() !== '' || rest.includes('')) return null;
  if (!/^(0|[1-9]\d*)$/.test(size) || !Number.isSafeInteger(Number(size))) return null;
  const bytes = canonicalBase64(root);
  return bytes?.length === ROOT_BYTES ? { origin, size: Number(size), root: bytes } : null;
}

/** The origin that a note gives itself, of which nothing is verified. */
export function originOf(note: string): string {
  return note.split('\n', 1)[0] ?? '';
}
