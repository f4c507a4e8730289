/** What can happen to the files of a journal while nobody has it open: each damage by its name. */
import { readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordsOf } from '../../drivers/journal/log-scan.ts';
import { genesis } from './samples.ts';

export type Damage = (directory: string, other: Others) => void;

/** Other journals whose parts get into this one. */
export interface Others {
  /** Of another station. */
  readonly foreign: string;
  /** This one, as it was some entries ago. */
  readonly earlier: string;
}

const inStore = (directory: string, pattern: RegExp): string => {
  const store = join(directory, 'store');
  return join(store, readdirSync(store).find((name) => pattern.test(name)) ?? String(pattern));
};
const log = (directory: string): string => inStore(directory, /\.log$/);
const table = (directory: string): string => inStore(directory, /\.ldb$/);
const manifest = (directory: string): string => inStore(directory, /^MANIFEST-/);
const current = (directory: string): string => join(directory, 'store', 'CURRENT');

const change = (file: string, edit: (bytes: Buffer) => Buffer): void =>
  writeFileSync(file, edit(readFileSync(file)));
const cut = (file: string, count: number): void => truncateSync(file, readFileSync(file).length - count);
const empty = (file: string): void => truncateSync(file, 0);
/** One bit. `at`: from the beginning, or from the end where it is negative. */
const flip = (file: string, at: (length: number) => number): void =>
  change(file, (bytes) => {
    const index = at(bytes.length);
    bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
    return bytes;
  });
const take = (from: string, to: string, part: string): void => {
  rmSync(join(to, part), { recursive: true });
  renameSync(join(from, part), join(to, part));
};

/** Each costs an acknowledged entry, or the means to know that none is lost. */
export const harmful: Readonly<Record<string, Damage>> = {
  'the log is cut by 1 byte': (d) => cut(log(d), 1),
  'the log is cut by 100 bytes': (d) => cut(log(d), 100),
  'the log is cut by 5000 bytes': (d) => cut(log(d), 5_000),
  'the log is cut exactly between two records': (d) => {
    const bytes = readFileSync(log(d));
    cut(log(d), (recordsOf(bytes).at(-1)?.length ?? 0) + 7);
  },
  'the end of the log is zeros': (d) => change(log(d), (bytes) => bytes.fill(0, bytes.length - 100)),
  'the last record of the log is changed': (d) => flip(log(d), (length) => length - 3),
  'the log is changed in its middle': (d) => flip(log(d), (length) => length >> 1),
  'a length in the log is changed': (d) => flip(log(d), () => 4),
  'the log is deleted': (d) => rmSync(log(d)),
  'the log is emptied': (d) => empty(log(d)),
  'a table is changed in its data': (d) => flip(table(d), () => 60),
  'a table is changed in its footer': (d) => flip(table(d), (length) => length - 3),
  'a table is cut': (d) => cut(table(d), 100),
  'a table is deleted': (d) => rmSync(table(d)),
  'a table is emptied': (d) => empty(table(d)),
  'the list of files is cut': (d) => cut(manifest(d), 20),
  'the list of files is changed': (d) => flip(manifest(d), () => 9),
  'the list of files is emptied': (d) => empty(manifest(d)),
  'the list of files is deleted': (d) => rmSync(manifest(d)),
  'CURRENT is deleted': (d) => rmSync(current(d)),
  'CURRENT is emptied': (d) => empty(current(d)),
  'CURRENT names another list': (d) => writeFileSync(current(d), 'MANIFEST-000001\n'),
  'the witness is deleted': (d) => rmSync(join(d, 'witness')),
  'the witness is zeros': (d) => writeFileSync(join(d, 'witness'), Buffer.alloc(8_192)),
  'the witness is another station’s': (d, { foreign }) => take(foreign, d, 'witness'),
  'the store is another station’s': (d, { foreign }) => take(foreign, d, 'store'),
  'the store is an older one of this station': (d, { earlier }) => take(earlier, d, 'store'),
  'the store is deleted': (d) => rmSync(join(d, 'store'), { recursive: true }),
  'the genesis is deleted': (d) => rmSync(join(d, 'genesis')),
  'the genesis is another station’s': (d) =>
    writeFileSync(join(d, 'genesis'), JSON.stringify({ ...genesis, station: 'station-2' })),
  'the genesis is no JSON': (d) => writeFileSync(join(d, 'genesis'), '{'),
  'the lock is deleted': (d) => rmSync(join(d, 'lock')),
};

/** Each leaves every entry, and every means to know it. */
export const harmless: Readonly<Record<string, Damage>> = {
  'nothing happened': () => undefined,
  'zeros are behind the last record of the log': (d) =>
    change(log(d), (bytes) => Buffer.concat([bytes, Buffer.alloc(500)])),
  'garbage is behind the last record of the log': (d) =>
    change(log(d), (bytes) => Buffer.concat([bytes, Buffer.from('garbage '.repeat(60))])),
  'LevelDB’s lock file is deleted': (d) => rmSync(join(d, 'store', 'LOCK'), { force: true }),
  'LevelDB’s own diary is deleted': (d) => rmSync(join(d, 'store', 'LOG'), { force: true }),
  'one slot of the witness is torn': (d) =>
    change(join(d, 'witness'), (bytes) => {
      const slots = [0, 4_096].map((at) => JSON.parse(bytes.subarray(at).toString().split(' ')[0] ?? ''));
      const older = slots[0].sequence < slots[1].sequence ? 0 : 4_096;
      return bytes.fill(0, older, older + 512);
    }),
  'a file of somebody lies in the store': (d) => writeFileSync(join(d, 'store', 'notes.txt'), 'who was here'),
};
