/**
 * Reads LevelDB's list of its own files, before LevelDB does: a list that lost its end lets it delete what it no
 * longer knows, and write new files over the numbers of old ones, without a word.
 *
 * @see LevelDB doc/impl.md, "Manifest"; db/version_edit.cc
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';
import { judgeLog, type LogState, recordsOf } from './log-scan.ts';

export interface Manifest {
  readonly name: string;
  readonly state: LogState;
  /** Number of the oldest log whose entries are in no table; 0 before the first. */
  readonly logNumber: number;
  /** Length in bytes of each table that is in use, by its number. LevelDB never writes one of these again. */
  readonly tables: ReadonlyMap<number, number>;
}

/** Kinds of field in a version edit. */
const Tag = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const;

/** @param store LevelDB's directory. @throws Fault JOURNAL_DAMAGED */
export function readManifest(store: string): Manifest {
  const name = readFileSync(join(store, 'CURRENT'), 'latin1').trimEnd();
  if (!/^MANIFEST-\d+$/.test(name)) throw damage('CURRENT', 'names no list of files');
  if (!existsSync(join(store, name))) throw damage(name, 'the list of files is missing');
  const bytes = readFileSync(join(store, name));
  const records = recordsOf(bytes);
  if (records.length === 0) throw damage(name, 'the list of files is empty');
  const tables = new Map<number, number>();
  let logNumber = 0;
  try {
    for (const record of records) logNumber = apply(record, tables) ?? logNumber;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw damage(name, 'the list of files cannot be understood', error);
  }
  return { name, state: judgeLog(bytes), logNumber, tables };
}

/** Changes `tables` by one version edit. @returns its number of the log, null where it has none */
function apply(record: Buffer, tables: Map<number, number>): number | null {
  let logNumber: number | null = null;
  const reader = readerOf(record);
  while (!reader.atEnd()) {
    const tag = reader.number();
    if (tag === Tag.logNumber) logNumber = reader.number();
    else if (tag === Tag.nextFile || tag === Tag.lastSequence || tag === Tag.previousLog) reader.number();
    else if (tag === Tag.comparator) reader.skipBytes();
    else if (tag === Tag.compactPointer) {
      reader.number();
      reader.skipBytes();
    } else if (tag === Tag.deletedFile) {
      reader.number();
      tables.delete(reader.number());
    } else if (tag === Tag.newFile) {
      reader.number();
      tables.set(reader.number(), reader.number());
      reader.skipBytes();
      reader.skipBytes();
    } else throw new RangeError(`unknown field ${tag}`);
  }
  return logNumber;
}

/** Varints, seven bits a byte, the lowest first; bytes behind their length. */
function readerOf(record: Buffer) {
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = record.readUInt8(at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  return {
    atEnd: () => at >= record.length,
    number,
    skipBytes: () => {
      const length = number();
      at += length;
      if (at > record.length) throw new RangeError('shorter than it says');
    },
  };
}

function damage(file: string, reason: string, cause?: unknown): Fault {
  return new Fault('JOURNAL_DAMAGED', { file, reason }, { cause });
}
