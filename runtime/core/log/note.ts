/**
 * Signed notes: a text, an empty line, and a line for each signature. Ed25519 signatures of logs, and cosignatures of
 * witnesses; signatures of other types and of unknown keys are passed over.
 *
 * @see https://c2sp.org/signed-note and https://c2sp.org/tlog-cosignature
 */
import {
  type Bytes,
  bigEndian,
  concat,
  equal,
  fromBase64,
  fromHex,
  fromText,
  toBase64,
  toHex,
  toText,
} from '../bytes.ts';
import type { Crypto } from '../ports.ts';

/** C2SP signed-note, Signature types. */
export const SignatureType = {
  /** Over the text. */
  ed25519: 0x01,
  /** Over the text with a time before it: a witness's. */
  cosignature: 0x04,
} as const;
export type SignatureType = (typeof SignatureType)[keyof typeof SignatureType];

/** A key as the verifier knows it. */
export interface NoteKey {
  /** The origin for a log, its own name for a witness. */
  readonly name: string;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** Ed25519 over the text where nothing is said. */
  readonly type?: SignatureType;
}

export interface NoteSignature {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Bytes;
  readonly signature: Bytes;
  /** As it stands in the note, without its line feed. */
  readonly line: string;
}

export interface Note {
  /** With its last line feed, which is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Who signed, and for a cosignature when by the witness's clock. */
export interface Verified {
  readonly key: NoteKey;
  /** Seconds since 1970; null for a signature without a time. */
  readonly time: number | null;
}

const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const TIME_BYTES = 8;
/** At least 16 must be accepted. */
const SIGNATURES_MAX = 100;

/** The parts of a note, of which nothing is verified; null when it is none. */
export function readNote(note: string): Note | null {
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n') || hasControls(note)) return null;
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) return null;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = readSignature(line);
    if (signature === null) return null;
    signatures.push(signature);
  }
  return { text: note.slice(0, split + 1), signatures };
}

/** The text of a file that should be a note; empty, which is none, where the bytes are not UTF-8. */
export function noteIn(bytes: Bytes): string {
  try {
    return toText(bytes);
  } catch {
    return ''; // No note: whoever reads it says so.
  }
}

/** One line of a signature; null when it is none. */
export function readSignature(line: string): NoteSignature | null {
  const [, name, encoded] = /^— (\S+) ([A-Za-z0-9+/]+=*)$/.exec(line) ?? [];
  if (name === undefined || encoded === undefined || !isKeyName(name)) return null;
  const bytes = canonicalBase64(encoded);
  if (bytes === null || bytes.length <= KEY_ID_BYTES) return null;
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES), line };
}

/** Every known key whose signature is there and right, each once. Null when the note is malformed, when a signature
 * of a known key is wrong, and when no known key signed. */
export function verifyNote(
  note: string,
  keys: readonly NoteKey[],
  crypto: Crypto,
): readonly Verified[] | null {
  const read = readNote(note);
  if (read === null) return null;
  const verified: Verified[] = [];
  for (const signature of read.signatures) {
    const key = keys.find((known) => isBy(signature, known, crypto));
    if (key === undefined) continue;
    const one = verifySignature(signature, read.text, key, crypto);
    if (one === null) return null;
    if (!verified.some((other) => other.key === key)) verified.push(one);
  }
  return verified.length > 0 ? verified : null;
}

/** The text of a note whose known signatures are all right, at least one of them; null otherwise. */
export function openNote(note: string, keys: readonly NoteKey[], crypto: Crypto): string | null {
  return verifyNote(note, keys, crypto) === null ? null : (readNote(note)?.text ?? null);
}

/** Whether the line names this key; an index, and no proof. */
export function isBy({ name, keyId: id }: NoteSignature, key: NoteKey, crypto: Crypto): boolean {
  return name === key.name && equal(id, keyId(key, crypto));
}

/** Null when the signature is not of this key over this text. */
export function verifySignature(
  { signature }: NoteSignature,
  text: string,
  key: NoteKey,
  crypto: Crypto,
): Verified | null {
  if (typeOf(key) === SignatureType.ed25519)
    return crypto.verifyEd25519(key.publicKey, fromText(text), signature) ? { key, time: null } : null;
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return null;
  const time = timeOf(signature.subarray(0, TIME_BYTES));
  if (time === null) return null;
  const message = cosignatureMessage(text, time);
  return crypto.verifyEd25519(key.publicKey, message, signature.subarray(TIME_BYTES)) ? { key, time } : null;
}

/** The whole note: text, empty line, signature line. `signature`: Ed25519 over the text, 64 bytes. */
export function signedNote(text: string, key: NoteKey, signature: Bytes, crypto: Crypto): string {
  return `${text}\n${signatureLine(key, signature, crypto)}\n`;
}

/** What a witness signs. `time`: seconds since 1970. */
export function cosignatureMessage(text: string, time: number): Bytes {
  return fromText(`cosignature/v1\ntime ${time}\n${text}`);
}

/** A line without its line feed. `signature`: Ed25519 over `cosignatureMessage`, 64 bytes. */
export function cosignatureLine(key: NoteKey, time: number, signature: Bytes, crypto: Crypto): string {
  return signatureLine(key, concat(bigEndian(time, TIME_BYTES), signature), crypto);
}

function signatureLine(key: NoteKey, signature: Bytes, crypto: Crypto): string {
  return `— ${key.name} ${toBase64(concat(keyId(key, crypto), signature))}`;
}

/** SHA-256(name || 0A || type || public key), first 4 bytes: an index, not a proof. */
export function keyId(key: NoteKey, crypto: Crypto): Bytes {
  const input = concat(fromText(`${key.name}\n`), Uint8Array.of(typeOf(key)), key.publicKey);
  return crypto.sha256(input).subarray(0, KEY_ID_BYTES);
}

/** `name+hash+key`: how a verifier is told of a key. */
export function verifierKey(key: NoteKey, crypto: Crypto): string {
  const encoded = toBase64(concat(Uint8Array.of(typeOf(key)), key.publicKey));
  return `${key.name}+${toHex(keyId(key, crypto))}+${encoded}`;
}

/** The key that a text names; null for another form, for a type that is not supported, and for a wrong hash. */
export function readVerifierKey(text: string, crypto: Crypto): NoteKey | null {
  const [, name = '', id = '', encoded = ''] =
    /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text) ?? [];
  const bytes = canonicalBase64(encoded);
  const type = Object.values(SignatureType).find((known) => known === bytes?.[0]);
  if (bytes?.length !== 1 + KEY_BYTES || type === undefined || !isKeyName(name)) return null;
  const key = { name, publicKey: bytes.subarray(1), type };
  return equal(keyId(key, crypto), fromHex(id)) ? key : null;
}

/** Not empty, without white space and plus. */
export function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name);
}

function typeOf(key: NoteKey): SignatureType {
  return key.type ?? SignatureType.ed25519;
}

/** Null beyond the years that a number holds. */
function timeOf(bytes: Bytes): number | null {
  const time = bytes.reduce((value, byte) => value * 256 + byte, 0);
  return Number.isSafeInteger(time) ? time : null;
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x0a) || code === 0x7f) return true;
  }
  return false;
}

/** RFC 4648 section 4, padded, and in no other spelling; null otherwise. */
export function canonicalBase64(text: string): Bytes | null {
  try {
    const bytes = fromBase64(text);
    return toBase64(bytes) === text ? bytes : null;
  } catch {
    return null; // The caller says what was malformed.
  }
}
