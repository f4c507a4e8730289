/**
 * Checkpoints of the fleet log as signed notes with one Ed25519 signature of the log.
 *
 * @see https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note
 */
import { type Bytes, concat, equal, fromBase64, fromText, toBase64 } from '../bytes.ts';
import type { Crypto } from '../ports.ts';

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Bytes;
}

/** A key as the verifier knows it. `publicKey`: Ed25519, 32 bytes. The name is the log's origin. */
export interface NoteKey {
  readonly name: string;
  readonly publicKey: Bytes;
}

/** Signature type Ed25519. C2SP signed-note. */
const ED25519 = 0x01;
const SIGNATURES_MAX = 16;

export function checkpointText(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${toBase64(checkpoint.root)}\n`;
}

/** The whole note: text, empty line, signature line. `signature`: Ed25519 over the text, 64 bytes. */
export function signedNote(text: string, key: NoteKey, signature: Bytes, crypto: Crypto): string {
  return `${text}\n— ${key.name} ${toBase64(concat(keyId(key, crypto), signature))}\n`;
}

/** SHA-256(name || 0A || type || public key), first 4 bytes: an index, not a proof. */
export function keyId(key: NoteKey, crypto: Crypto): Bytes {
  const input = concat(fromText(`${key.name}\n`), Uint8Array.of(ED25519), key.publicKey);
  return crypto.sha256(input).subarray(0, 4);
}

/** `name+hash+key`: how a verifier is told of a key. */
export function verifierKey(key: NoteKey, crypto: Crypto): string {
  const id = [...keyId(key, crypto)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${key.name}+${id}+${toBase64(concat(Uint8Array.of(ED25519), key.publicKey))}`;
}

/** The text of a note whose known signatures are all right; null otherwise. At least one must be known. */
export function openNote(note: string, keys: readonly NoteKey[], crypto: Crypto): string | null {
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n') || hasControls(note)) return null;
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) return null;
  let verified = 0;
  for (const line of lines) {
    const parts = /^— (\S+) ([A-Za-z0-9+/]+=*)$/.exec(line);
    const [, name, encoded] = parts ?? [];
    if (name === undefined || encoded === undefined) return null;
    const bytes = base64OrNull(encoded);
    if (bytes === null || bytes.length < 5) return null;
    const key = keys.find((k) => k.name === name && equal(keyId(k, crypto), bytes.subarray(0, 4)));
    if (key === undefined) continue;
    if (!crypto.verifyEd25519(key.publicKey, fromText(text), bytes.subarray(4))) return null;
    verified += 1;
  }
  return verified > 0 ? text : null;
}

/** A verified checkpoint, or null when the note is not one that `key` signed. */
export function openCheckpoint(note: string, key: NoteKey, crypto: Crypto): Checkpoint | null {
  const text = openNote(note, [key], crypto);
  return text === null ? null : parseCheckpoint(text, key.name);
}

/** Reads the text of a checkpoint; null when it has another form or another origin. */
export function parseCheckpoint(text: string, origin: string): Checkpoint | null {
  const [first, size, root, ...rest] = text.split('\n');
  if (first !== origin || size === undefined || root === undefined || rest.at(-1) !== '') return null;
  if (!/^(0|[1-9]\d*)$/.test(size) || !Number.isSafeInteger(Number(size))) return null;
  const bytes = base64OrNull(root);
  return bytes?.length === 32 && toBase64(bytes) === root
    ? { origin, size: Number(size), root: bytes }
    : null;
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x0a) || code === 0x7f) return true;
  }
  return false;
}

function base64OrNull(text: string): Bytes | null {
  try {
    return fromBase64(text);
  } catch {
    return null; // The caller says what was malformed.
  }
}
