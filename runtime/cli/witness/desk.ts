/**
 * A witness at work: judges add-checkpoint requests one after another for each log, keeps what it cosigned before it
 * answers, keeps evidence of a fork for ever, and shows what it has seen of each log.
 *
 * @see https://c2sp.org/tlog-witness
 */
import { type Bytes, fromText, toHex, toText } from '../../core/bytes.ts';
import type { Shelf } from '../../core/ceremony/shelf.ts';
import { Fault } from '../../core/faults.ts';
import { type Checkpoint, parseCheckpoint } from '../../core/log/checkpoint.ts';
import { cosignatureLine, cosignatureMessage, type NoteKey, noteIn, openNote } from '../../core/log/note.ts';
import {
  type AddCheckpoint,
  judgeAddCheckpoint,
  logOf,
  readAddCheckpoint,
  type WitnessVerdict,
} from '../../core/log/witness.ts';
import type { Crypto, HttpAnswer, HttpQuestion } from '../../core/ports.ts';

export interface Desk {
  readonly key: NoteKey;
  /** Ed25519, 64 bytes. */
  readonly sign: (message: Bytes) => Bytes;
  readonly logs: readonly NoteKey[];
  /** Where it keeps what it has cosigned: whoever restores an older copy of it rolls the witness back. */
  readonly directory: string;
  readonly shelf: Shelf;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  now(): number;
  /** A word for the operator. */
  talk(line: string): void;
}

/** What it answers to each request. Never rejects for what a client sends. */
export function witnessAt(desk: Desk): (question: HttpQuestion) => Promise<HttpAnswer> {
  const turns = new Map<string, Promise<unknown>>();
  const inTurn = (origin: string, work: () => Promise<HttpAnswer>): Promise<HttpAnswer> => {
    const before = turns.get(origin) ?? Promise.resolve();
    const now = before.then(work, work);
    turns.set(origin, now);
    return now;
  };
  return async ({ method, path, body }) => {
    if (method === 'POST' && path === '/add-checkpoint') {
      const request = readAddCheckpoint(noteIn(body));
      if (request === null) return text(400, 'this is no add-checkpoint request');
      const log = logOf(request, desk.logs);
      if (log === null) return text(404, 'this log is not known here');
      return inTurn(log.name, () => take(desk, request, log));
    }
    const seen = desk.logs.find((log) => path === `/${placeOf(log, desk.crypto)}/checkpoint`);
    if (method !== 'GET' || seen === undefined) return text(404, 'nothing is here');
    const kept = await desk.shelf.read(fileOf(desk, seen));
    return kept === null ? text(404, 'no checkpoint was cosigned yet') : text(200, toText(kept));
  };
}

async function take(desk: Desk, request: AddCheckpoint, log: NoteKey): Promise<HttpAnswer> {
  const { crypto, key, shelf } = desk;
  const last = await lastOf(desk, log);
  const verdict = judgeAddCheckpoint(request, log, last, crypto);
  if (verdict.status === 422 && verdict.contradicts) await keepEvidence(desk, request, log);
  if (verdict.status !== 200) return answerTo(verdict);
  const time = Math.floor(desk.now() / 1000);
  const line = cosignatureLine(key, time, desk.sign(cosignatureMessage(verdict.text, time)), crypto);
  await shelf.write(fileOf(desk, log), fromText(`${logNote(request.checkpoint, log, crypto)}${line}\n`));
  desk.talk(`${log.name}: cosigned ${verdict.next.size} leaves`);
  return text(200, `${line}\n`);
}

/** @throws Fault FILE_UNREADABLE where what was kept is not what this witness wrote: it cosigns nothing then */
async function lastOf(desk: Desk, log: NoteKey): Promise<Checkpoint | null> {
  const kept = await desk.shelf.read(fileOf(desk, log));
  if (kept === null) return null;
  const own = openNote(noteIn(kept), [desk.key], desk.crypto);
  const last = own === null ? null : parseCheckpoint(own, log.name);
  if (last === null)
    throw new Fault('FILE_UNREADABLE', { path: fileOf(desk, log), reason: 'not a checkpoint it cosigned' });
  return last;
}

/** Two roots of one size, both signed by the log: the one that was cosigned is kept beside. */
async function keepEvidence(desk: Desk, { checkpoint }: AddCheckpoint, log: NoteKey): Promise<void> {
  const bytes = fromText(checkpoint);
  const name = toHex(desk.crypto.sha256(bytes)).slice(0, 16);
  const path = `${desk.directory}/${placeOf(log, desk.crypto)}/fork-${name}`;
  await desk.shelf.write(path, bytes);
  desk.talk(`${log.name} HAS FORKED: it signed two histories of one size; the evidence is in ${path}`);
}

/** The note with the signature of the log alone: nobody else's is repeated under this witness's name. */
function logNote(note: string, log: NoteKey, crypto: Crypto): string {
  const lines = note.slice(note.lastIndexOf('\n\n') + 2, -1).split('\n');
  const body = note.slice(0, note.lastIndexOf('\n\n') + 2);
  const own = lines.filter((line) => openNote(`${body}${line}\n`, [log], crypto) !== null);
  return `${body}${own.map((line) => `${line}\n`).join('')}`;
}

function answerTo(verdict: Exclude<WitnessVerdict, { status: 200 }>): HttpAnswer {
  if (verdict.status !== 409) return text(verdict.status, verdict.why);
  return { status: 409, type: 'text/x.tlog.size', body: `${verdict.size}\n` };
}

function text(status: number, body: string): HttpAnswer {
  return { status, type: 'text/plain; charset=utf-8', body: body.endsWith('\n') ? body : `${body}\n` };
}

function fileOf(desk: Desk, log: NoteKey): string {
  return `${desk.directory}/${placeOf(log, desk.crypto)}/checkpoint`;
}

/** SHA-256 of the origin, hexadecimal: where monitors find it, and where it is kept. */
function placeOf(log: NoteKey, crypto: Crypto): string {
  return toHex(crypto.sha256(fromText(log.name)));
}
