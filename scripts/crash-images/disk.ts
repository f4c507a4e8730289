/**
 * A disk as the kernel may have it at one moment: what is durable, and what was done since and may be on it or not.
 * Directories are names of numbered files, so that a directory that is renamed takes its content with it.
 */
import { basename, dirname } from 'node:path';

export const ROOT = 0;

/** One step of metadata: all of its changes reach the disk, or none. */
export interface Step {
  readonly changes: readonly {
    readonly directory: number;
    readonly name: string;
    readonly file: number | null;
  }[];
}

export interface FileState {
  readonly now: Buffer;
  readonly durable: Buffer;
  /** What was written since the last sync: the whole content after each write. */
  readonly since: readonly Buffer[];
}

export type Names = ReadonlyMap<number, ReadonlyMap<string, number>>;

export interface Disk {
  readonly durable: Names;
  readonly pending: readonly Step[];
  readonly files: ReadonlyMap<number, FileState>;
}

export class RecordedDisk implements Disk {
  durable = new Map<number, Map<string, number>>([[ROOT, new Map()]]);
  pending: Step[] = [];
  readonly files = new Map<number, FileState>();
  readonly #names = new Map<number, Map<string, number>>([[ROOT, new Map()]]);
  readonly #top: string;
  readonly #ordered: boolean;
  #last = ROOT;

  /** @param top every path below it is on this disk. @param ordered metadata reach the disk in their order, as on ext4 */
  constructor(top: string, ordered: boolean) {
    this.#top = top;
    this.#ordered = ordered;
  }

  has(path: string): boolean {
    return path === this.#top || path.startsWith(`${this.#top}/`);
  }

  fileAt(path: string): number | null {
    let at = ROOT;
    for (const name of path
      .slice(this.#top.length)
      .split('/')
      .filter((part) => part !== '')) {
      const next = this.#names.get(at)?.get(name);
      if (next === undefined) return null;
      at = next;
    }
    return at;
  }

  contentOf(file: number): Buffer {
    return this.files.get(file)?.now ?? Buffer.alloc(0);
  }

  isDirectory(file: number): boolean {
    return this.#names.has(file);
  }

  create(path: string, kind: 'file' | 'directory'): number {
    const file = ++this.#last;
    if (kind === 'directory') {
      this.#names.set(file, new Map());
      this.durable.set(file, new Map());
    } else this.files.set(file, { now: Buffer.alloc(0), durable: Buffer.alloc(0), since: [] });
    this.#step([{ ...this.#place(path), file }]);
    return file;
  }

  link(from: string, to: string): void {
    this.#step([{ ...this.#place(to), file: this.#known(from) }]);
  }

  rename(from: string, to: string): void {
    const file = this.#known(from);
    this.#step([
      { ...this.#place(from), file: null },
      { ...this.#place(to), file },
    ]);
  }

  remove(path: string): void {
    this.#step([{ ...this.#place(path), file: null }]);
  }

  write(file: number, now: Buffer): void {
    const state = this.files.get(file);
    if (state === undefined) throw new RangeError(`no file ${file}`);
    this.files.set(file, { ...state, now, since: [...state.since, now] });
  }

  sync(file: number): void {
    const state = this.files.get(file);
    // A write in place moves no metadata, and its sync takes none with it.
    const moves = state === undefined || state.now.length !== state.durable.length;
    if (state !== undefined) this.files.set(file, { now: state.now, durable: state.now, since: [] });
    if (this.#ordered) {
      if (moves) this.#settle(() => true);
    } else if (state === undefined)
      this.#settle(({ changes }) => changes.some(({ directory }) => directory === file));
  }

  #step(changes: Step['changes']): void {
    apply(this.#names, changes);
    this.pending.push({ changes });
  }

  #settle(reached: (step: Step) => boolean): void {
    for (const step of this.pending.filter(reached)) apply(this.durable, step.changes);
    this.pending = this.pending.filter((step) => !reached(step));
  }

  #known(path: string): number {
    const file = this.fileAt(path);
    if (file === null) throw new RangeError(`${path} is not on the recorded disk`);
    return file;
  }

  #place(path: string): { readonly directory: number; readonly name: string } {
    return { directory: this.#known(dirname(path)), name: basename(path) };
  }
}

/** Changes `names`. */
export function apply(names: Map<number, Map<string, number>>, changes: Step['changes']): void {
  for (const { directory, name, file } of changes) {
    if (file === null) names.get(directory)?.delete(name);
    else names.get(directory)?.set(name, file);
  }
}
