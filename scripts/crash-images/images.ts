/** Every disk that a power cut may leave of a recorded run, each with what somebody had been told by then. */
import { createHash } from 'node:crypto';
import type { SimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { apply, type Disk, type FileState, RecordedDisk, ROOT, type Step } from './disk.ts';
import type { Operation } from './trace.ts';

/**
 * `ordered`: metadata reach the disk in their order and a sync takes all earlier ones with it, as on ext4 and xfs.
 * `weak`: the worst that POSIX permits: any of them may be missing until their directory is synced.
 */
export type Ordering = 'ordered' | 'weak';

export interface Image {
  readonly directories: readonly string[];
  readonly files: ReadonlyMap<string, Buffer>;
  /** What the program had said by then. */
  readonly said: readonly string[];
}

/** Metadata whose subsets are tried; what is older is taken as it came. */
const SUBSET_MAX = 9;
/** Disks of one moment, in the weak ordering; more are drawn from, by the seed. */
const MOMENT_MAX = 96;
/** LevelDB's lock and its diary: neither is read by anybody. */
const IGNORED = /\/(?:LOCK|LOG|LOG\.old)$/;

/** @param top the directory whose disk it is. Each image once, with the most that was ever said before it. */
export function imagesOf(
  operations: readonly Operation[],
  options: { readonly top: string; readonly ordering: Ordering; readonly entropy: SimulatedEntropy },
): readonly Image[] {
  const disk = new RecordedDisk(options.top, options.ordering === 'ordered');
  const positions = new Map<string, number>();
  const said: string[] = [];
  const images = new Map<string, Image>();
  for (const operation of operations) {
    if (operation.kind === 'said') said.push(operation.line);
    else if (!play(operation, disk, positions)) continue;
    for (const choice of choicesOf(disk, options))
      for (const image of fillings(disk, choice, options)) {
        const key = keyOf(image);
        images.set(key, { ...image, said: [...said] });
      }
  }
  return [...images.values()];
}

/** @returns whether it concerned this disk. `positions` of the descriptors, in bytes. */
function play(operation: Operation, disk: RecordedDisk, positions: Map<string, number>): boolean {
  const path = 'path' in operation ? operation.path : operation.kind === 'said' ? '' : operation.to;
  if (!disk.has(path) || IGNORED.test(path)) return false;
  switch (operation.kind) {
    case 'open': {
      positions.set(operation.descriptor, 0);
      const file = disk.fileAt(path);
      if (file === null && operation.create) disk.create(path, 'file');
      else if (file !== null && operation.truncate && disk.contentOf(file).length > 0)
        disk.write(file, Buffer.alloc(0));
      else return false;
      return true;
    }
    case 'write':
      return put(disk, path, operation.bytes, operation.at, operation.descriptor, positions);
    case 'copy': {
      const from = disk.contentOf(disk.fileAt(operation.from) ?? ROOT);
      const at = positions.get(operation.descriptor) ?? 0;
      return put(
        disk,
        path,
        from.subarray(at, at + operation.sizeBytes),
        null,
        operation.descriptor,
        positions,
      );
    }
    case 'truncate': {
      const file = disk.fileAt(path) ?? ROOT;
      disk.write(file, disk.contentOf(file).subarray(0, operation.sizeBytes));
      return true;
    }
    case 'sync': {
      const file = disk.fileAt(path);
      if (file !== null) disk.sync(file);
      return file !== null;
    }
    case 'mkdir':
      disk.create(path, 'directory');
      return true;
    case 'remove':
      disk.remove(path);
      return true;
    case 'rename':
    case 'link':
      disk[operation.kind](operation.from, operation.to);
      return true;
    case 'said':
      return true;
  }
}

function put(
  disk: RecordedDisk,
  path: string,
  bytes: Buffer,
  given: number | null,
  descriptor: string,
  positions: Map<string, number>,
): boolean {
  const file = disk.fileAt(path);
  if (file === null) return false; // Written after it was removed.
  const at = given ?? positions.get(descriptor) ?? 0;
  const before = disk.contentOf(file);
  const now = Buffer.alloc(Math.max(before.length, at + bytes.length));
  before.copy(now);
  bytes.copy(now, at);
  disk.write(file, now);
  if (given === null) positions.set(descriptor, at + bytes.length);
  return true;
}

interface Choice {
  readonly ordering: Ordering;
  readonly entropy: SimulatedEntropy;
}

/** Which of the pending metadata are on the disk. */
function choicesOf(disk: Disk, { ordering }: Choice): readonly (readonly Step[])[] {
  const { pending } = disk;
  if (ordering === 'ordered')
    return Array.from({ length: pending.length + 1 }, (_, count) => pending.slice(0, count));
  const older = pending.slice(0, -SUBSET_MAX);
  const open = pending.slice(-SUBSET_MAX);
  return Array.from({ length: 2 ** open.length }, (_, bits) => [
    ...older,
    ...open.filter((_step, i) => (bits >> i) & 1),
  ]);
}

/** The disks of one choice: each file that was written since its last sync is old, new, or cut in the middle. */
function* fillings(
  disk: Disk,
  choice: readonly Step[],
  { ordering, entropy }: Choice,
): Generator<Omit<Image, 'said'>> {
  const names = new Map([...disk.durable].map(([directory, entries]) => [directory, new Map(entries)]));
  for (const step of choice) apply(names, step.changes);
  const directories: string[] = [];
  const found: { path: string; contents: readonly Buffer[] }[] = [];
  const walk = (directory: number, path: string): void => {
    for (const [name, file] of [...(names.get(directory) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const below = path === '' ? name : `${path}/${name}`;
      const state = disk.files.get(file);
      if (state === undefined) {
        directories.push(below);
        walk(file, below);
      } else found.push({ path: below, contents: contentsOf(state, ordering) });
    }
  };
  walk(ROOT, '');
  const count = found.reduce((product, { contents }) => product * contents.length, 1);
  for (let i = 0; i < count; i++) {
    if (
      ordering === 'weak' &&
      disk.pending.length > 4 &&
      entropy.fraction() > MOMENT_MAX / 2 ** disk.pending.length
    )
      continue;
    let rest = i;
    const files = new Map<string, Buffer>();
    for (const { path, contents } of found) {
      files.set(path, contents[rest % contents.length] ?? Buffer.alloc(0));
      rest = Math.floor(rest / contents.length);
    }
    yield { directories, files };
  }
}

const contents = new WeakMap<FileState, readonly Buffer[]>();

function contentsOf(state: FileState, ordering: Ordering): readonly Buffer[] {
  const known = contents.get(state) ?? contentsAfter(state, ordering);
  contents.set(state, known);
  return known;
}

function contentsAfter({ now, durable, since }: FileState, ordering: Ordering): readonly Buffer[] {
  if (since.length === 0) return [now];
  const before = since.at(-2) ?? durable;
  const from = Math.min(before.length, now.length);
  const half = Buffer.concat([now.subarray(0, from), now.subarray(from, from + ((now.length - from) >> 1))]);
  // A write in place: its first half is new.
  const torn =
    now.length === before.length
      ? Buffer.concat([now.subarray(0, firstChange(now, before)), mixed(now, before)])
      : half;
  const zeros =
    ordering === 'weak' ? [Buffer.concat([now.subarray(0, from), Buffer.alloc(now.length - from)])] : [];
  return [durable, now, torn, ...zeros];
}

function firstChange(now: Buffer, before: Buffer): number {
  for (let at = 0; at < now.length; at++) if (now[at] !== before[at]) return at;
  return now.length;
}

/** From the first difference on: what was written, for half of the way to the last difference. */
function mixed(now: Buffer, before: Buffer): Buffer {
  const first = firstChange(now, before);
  let last = now.length;
  while (last > first && now[last - 1] === before[last - 1]) last--;
  const middle = first + ((last - first) >> 1);
  return Buffer.concat([now.subarray(first, middle), before.subarray(middle)]);
}

/** Most files of an image are those of the one before. */
const digests = new WeakMap<Buffer, string>();

function digestOf(bytes: Buffer): string {
  const known = digests.get(bytes) ?? createHash('sha256').update(bytes).digest('hex');
  digests.set(bytes, known);
  return known;
}

function keyOf({ directories, files }: Omit<Image, 'said'>): string {
  const hash = createHash('sha256').update(directories.join('\n'));
  for (const [path, bytes] of files) hash.update(`\n${path} ${digestOf(bytes)}`);
  return hash.digest('hex');
}
