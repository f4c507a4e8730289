/**
 * Reads the journal of a running station through its socket: JSON lines, one request, entries until the end. The
 * other side is `drivers/journal/socket.ts`. The chain is verified here too: a socket proves nothing.
 */
import { Fault } from '../../core/faults.ts';
import {
  chainHash,
  type EntryMark,
  type Genesis,
  type JournalEntry,
  type NewEntry,
  type Sha256,
} from '../../core/journal/entry.ts';

/** A connection that carries lines. */
export interface Wire {
  send(line: string): void;
  /** Ends when the other side has closed, or has been silent for too long. */
  readonly lines: AsyncIterable<string>;
  close(): void;
}

/** Connects to a Unix socket; null when nobody listens there. @throws Fault FILE_UNREADABLE */
export type Dial = (path: string) => Promise<Wire | null>;

/** The station went away, or answers no more: what was read until then is good. */
export class WireBroken extends Error {
  override readonly name = 'WireBroken';
}

/** Where a chain stands: the next sequence, and the hash that the next entry continues. */
export interface Tail {
  readonly next: number;
  readonly hash: string;
}

interface Line {
  readonly genesis?: Genesis;
  readonly cut?: EntryMark | null;
  readonly entry?: { readonly sequence: number; readonly text: string; readonly hash: string };
  readonly end?: boolean;
  readonly error?: string;
}

/** The entries from `tail` on; from the beginning, those that are still there.
 * @throws WireBroken; Fault JOURNAL_DAMAGED naming the sequence, CONFIG_INVALID when another journal answers */
export async function* liveEntries(
  wire: Wire,
  expected: Genesis,
  tail: Tail,
  sha256: Sha256,
): AsyncGenerator<JournalEntry> {
  let { next, hash } = tail;
  let cut: EntryMark | null = null;
  let said = false;
  wire.send(JSON.stringify({ verb: 'range', from: next }));
  for await (const text of wire.lines) {
    const line = JSON.parse(text) as Line;
    if (line.end === true) {
      if (cut !== null && !said)
        throw damaged(cut.sequence, 'its beginning is missing, and no entry gives it up');
      return;
    }
    if (line.error !== undefined) throw refusal(line.error, next);
    if (line.genesis !== undefined && line.genesis.journal !== expected.journal)
      throw new Fault('CONFIG_INVALID', {
        why: 'the socket belongs to another station’s journal',
        station: line.genesis.station,
      });
    if (line.cut && next <= line.cut.sequence) {
      if (next > 0) throw new WireBroken('what was to be read next was given up');
      cut = line.cut;
      ({ next, hash } = { next: cut.sequence + 1, hash: cut.hash });
    }
    if (line.entry === undefined) continue;
    const { sequence } = line.entry;
    if (sequence !== next || chainHash(line.entry.text, next, hash, sha256) !== line.entry.hash)
      throw damaged(next, 'the entry does not continue the chain');
    const { at, fact } = JSON.parse(line.entry.text) as NewEntry;
    if (fact.name === 'cut' && fact.upTo.sequence === cut?.sequence && fact.upTo.hash === cut.hash)
      said = true;
    yield { ...line.entry, at, fact };
    hash = line.entry.hash;
    next += 1;
  }
  throw new WireBroken('the station ended, or was silent for too long');
}

/** What the station says instead of an entry; it stops at the first one that is bad. */
function refusal(error: string, next: number): Error {
  return error === 'JOURNAL_DAMAGED'
    ? damaged(next, 'the running station cannot read it')
    : new WireBroken(error);
}

function damaged(sequence: number, reason: string): Fault {
  return new Fault('JOURNAL_DAMAGED', { sequence, reason });
}
