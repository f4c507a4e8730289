/**
 * What a witness is asked and how it judges: it cosigns a checkpoint only when the log has grown from the one that it
 * cosigned last. Pure; whoever serves it keeps the new state durably before the answer leaves.
 *
 * @see https://c2sp.org/tlog-witness
 */
import { type Bytes, equal, toBase64 } from '../bytes.ts';
import type { Crypto } from '../ports.ts';
import { type Checkpoint, originOf, parseCheckpoint } from './checkpoint.ts';
import { canonicalBase64, type NoteKey, openNote } from './note.ts';
import { HASH_BYTES, verifyConsistency } from './tree.ts';

export interface AddCheckpoint {
  /** Size that the witness cosigned last, 0 before the first. */
  readonly old: number;
  /** From the old size; none from 0. */
  readonly proof: readonly Bytes[];
  /** Signed by the log. */
  readonly checkpoint: string;
}

/** Hashes of a proof: a log of 2^63 leaves needs no more. */
const PROOF_MAX = 63;

/** Every line ends with a line feed. */
export function addCheckpointText({ old, proof, checkpoint }: AddCheckpoint): string {
  return [`old ${old}`, ...proof.map(toBase64), '', checkpoint].join('\n');
}

/** Null for a body of another form. */
export function readAddCheckpoint(body: string): AddCheckpoint | null {
  const split = body.indexOf('\n\n');
  if (split < 0) return null;
  const [first = '', ...lines] = body.slice(0, split).split('\n');
  const [, old] = /^old (0|[1-9]\d*)$/.exec(first) ?? [];
  if (old === undefined || !Number.isSafeInteger(Number(old)) || lines.length > PROOF_MAX) return null;
  const proof: Bytes[] = [];
  for (const line of lines) {
    const hash = canonicalBase64(line);
    if (hash?.length !== HASH_BYTES) return null;
    proof.push(hash);
  }
  return { old: Number(old), proof, checkpoint: body.slice(split + 2) };
}

export type WitnessVerdict =
  /** `text`: what is to be cosigned. */
  | { readonly status: 200; readonly next: Checkpoint; readonly text: string }
  | { readonly status: 400 | 403 | 404; readonly why: string }
  /** `size`: what the witness cosigned last. */
  | { readonly status: 409; readonly size: number }
  /** `contradicts`: it is evidence, two roots of one size under the signature of the log. */
  | { readonly status: 422; readonly why: string; readonly contradicts: boolean };

/** The log that a request is for; null for one that is not known here. */
export function logOf(request: AddCheckpoint, logs: readonly NoteKey[]): NoteKey | null {
  const origin = originOf(request.checkpoint);
  return logs.find(({ name }) => name === origin) ?? null;
}

/** @param last what this witness cosigned last of this log; null before the first */
export function judgeAddCheckpoint(
  request: AddCheckpoint,
  log: NoteKey | null,
  last: Checkpoint | null,
  crypto: Crypto,
): WitnessVerdict {
  if (log === null) return { status: 404, why: 'this log is not known here' };
  const text = openNote(request.checkpoint, [log], crypto);
  if (text === null) return { status: 403, why: 'invalid signature: none of the key of this log' };
  const next = parseCheckpoint(text, log.name);
  if (next === null) return { status: 400, why: 'no checkpoint' };
  if (request.old > next.size) return { status: 400, why: 'the old size is larger than the checkpoint' };
  const size = last?.size ?? 0;
  if (request.old !== size) return { status: 409, size };
  const why = objectionTo(request, next, last, crypto);
  if (why === null) return { status: 200, next, text };
  const contradicts = last !== null && last.size === next.size && !equal(last.root, next.root);
  return { status: 422, why, contradicts };
}

function objectionTo(
  { old, proof }: AddCheckpoint,
  next: Checkpoint,
  last: Checkpoint | null,
  { sha256 }: Crypto,
): string | null {
  if (next.size === 0 && !equal(next.root, sha256(new Uint8Array(0))))
    return 'the root of an empty log is another';
  if (old === 0 || last === null) return proof.length === 0 ? null : 'there is no proof from an empty log';
  if (next.size === last.size && !equal(next.root, last.root)) return 'the same size with another root';
  const grew = verifyConsistency(
    { first: last.size, second: next.size, firstRoot: last.root, secondRoot: next.root, proof },
    sha256,
  );
  return grew ? null : 'the proof does not show that the log has only grown';
}
