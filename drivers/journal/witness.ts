/**
 * A file beside the store that remembers the last irreversible intent: LevelDB cannot tell that its end is missing.
 * Two slots of 4 KiB; the older one is overwritten, so that a torn write leaves the newer.
 */
import { createHash } from 'node:crypto';
import { closeSync, fdatasync, openSync, readFileSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { canonicalJson } from '../../runtime/core/canonical-json.ts';
import { Fault } from '../../runtime/core/faults.ts';
import { writeSynced } from './durable-files.ts';
import type { Witness } from './ordered-store.ts';
import type { Mark } from './stored.ts';

export const WITNESS_FILE = 'witness';
const SLOT_BYTES = 4096;

const writeAt = promisify(write);
const syncData = promisify(fdatasync);

/** Before any entry: -1 and the hash of the genesis. */
export function createWitness(directory: string, mark: Mark): void {
  writeSynced(join(directory, WITNESS_FILE), encode(mark).toString('latin1').repeat(2));
}

/** The newer mark. @throws Fault JOURNAL_DAMAGED when neither slot is intact. */
export function readWitness(directory: string): Mark {
  return newest(slots(directory)).mark;
}

/** @throws Fault JOURNAL_DAMAGED */
export function openWitness(directory: string): Witness {
  let { mark, index } = newest(slots(directory));
  const descriptor = openSync(join(directory, WITNESS_FILE), 'r+');
  return {
    mark,
    write: async (next) => {
      if (next.sequence === mark.sequence && next.hash === mark.hash) return;
      const older = 1 - index;
      await writeAt(descriptor, encode(next), 0, SLOT_BYTES, older * SLOT_BYTES);
      await syncData(descriptor);
      mark = next;
      index = older;
    },
    close: () => closeSync(descriptor),
  };
}

function slots(directory: string): readonly (Mark | null)[] {
  const bytes = readFileSync(join(directory, WITNESS_FILE));
  return [0, 1].map((index) => decode(bytes.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES)));
}

function newest([a = null, b = null]: readonly (Mark | null)[]): {
  readonly mark: Mark;
  readonly index: number;
} {
  if (a !== null && (b === null || a.sequence >= b.sequence)) return { mark: a, index: 0 };
  if (b !== null) return { mark: b, index: 1 };
  throw new Fault('JOURNAL_DAMAGED', { file: WITNESS_FILE });
}

/** The mark and its checksum as a line, filled up with spaces. */
function encode(mark: Mark): Buffer {
  const text = canonicalJson({ sequence: mark.sequence, hash: mark.hash });
  return Buffer.from(`${text} ${checksum(text)}`.padEnd(SLOT_BYTES - 1).concat('\n'));
}

/** Null for a slot that was being written when the power went. */
function decode(slot: Buffer): Mark | null {
  const [text = '', check = ''] = slot.toString('latin1').trimEnd().split(' ');
  return check === checksum(text) ? (JSON.parse(text) as Mark) : null;
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
