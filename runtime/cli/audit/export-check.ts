/**
 * Checks an export of the log by itself, with the log's public key: every entry against its tile, every tile against
 * those below, all of it against the signed root, and that it contains what somebody kept of the log before.
 */
import { type Bytes, equal, toHex } from '../../core/bytes.ts';
import { type Checkpoint, openCheckpoint } from '../../core/log/checkpoint.ts';
import { readLeaf } from '../../core/log/leaf.ts';
import { type NoteKey, noteIn } from '../../core/log/note.ts';
import {
  bundlePath,
  entriesIn,
  fullTiles,
  hashesIn,
  partialWidth,
  TILE_WIDTH,
  tileHashes,
  tileLevels,
  tilePath,
} from '../../core/log/tile.ts';
import { HASH_BYTES, leafHash, MerkleTree } from '../../core/log/tree.ts';
import type { Crypto } from '../../core/ports.ts';
import { continuationOf } from './export-continuation.ts';

/** Reads a file of an export by its path in it; null when it is not there. */
export type ReadFile = (path: string) => Promise<Bytes | null>;

export interface ExportProblem {
  /** `leaf 7 (record/…)`, `tile/1/000`, `checkpoint`. */
  readonly where: string;
  readonly why: string;
  readonly kind: 'damaged' | 'forked' | 'rolled-back';
}

/** What somebody kept of the log at an earlier time. */
export interface Known {
  /** As the person named it. */
  readonly name: string;
  readonly checkpoint: Bytes;
  /** Of an earlier export, which names the first leaf that differs; null where only a checkpoint was kept. */
  readonly read: ReadFile | null;
}

export interface ExportAudit {
  readonly size: number;
  readonly root: string;
  readonly leaves: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly problem: ExportProblem | null;
}

/** @param onProgress told the number of leaves read so far */
export async function auditExport(
  read: ReadFile,
  logKey: NoteKey,
  known: readonly Known[],
  crypto: Crypto,
  onProgress: (leaves: number, size: number) => void,
): Promise<ExportAudit> {
  const head = await checkpointIn(read, logKey, crypto);
  if ('why' in head) return { size: 0, root: '', leaves: 0, kinds: {}, problem: head };
  const reading = new Reading(read, crypto);
  const problem =
    (await reading.leaves(head.size, onProgress)) ??
    (await reading.upperTiles(head.size)) ??
    ofRoot(head, reading.tree) ??
    (await continuationOf(reading.tree, known, logKey, crypto));
  return {
    size: head.size,
    root: toHex(head.root),
    leaves: reading.tree.size,
    kinds: Object.fromEntries(reading.kinds),
    problem,
  };
}

async function checkpointIn(
  read: ReadFile,
  logKey: NoteKey,
  crypto: Crypto,
): Promise<Checkpoint | ExportProblem> {
  const bytes = await read('checkpoint');
  if (bytes === null) return damaged('checkpoint', 'it is missing');
  const checkpoint = openCheckpoint(noteIn(bytes), logKey, crypto);
  return checkpoint ?? damaged('checkpoint', `it is not signed by the log key of ${logKey.name}`);
}

class Reading {
  readonly tree: MerkleTree;
  readonly kinds = new Map<string, number>();
  readonly #read: ReadFile;
  readonly #crypto: Crypto;
  /** The last sequence number of each journal: the next one continues it. */
  readonly #events = new Map<string, number>();

  constructor(read: ReadFile, crypto: Crypto) {
    this.#read = read;
    this.#crypto = crypto;
    this.tree = new MerkleTree(crypto.sha256);
  }

  /** Entries against the lowest tiles; null when all is well. */
  async leaves(
    size: number,
    onProgress: (leaves: number, size: number) => void,
  ): Promise<ExportProblem | null> {
    for (let index = 0; this.tree.size < size; index++) {
      const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
      const bundle = await this.#read(bundlePath({ index, width }));
      const tile = await this.#read(tilePath({ level: 0, index, width }));
      if (bundle === null) return damaged(leavesOf(index, width), 'their bundle is missing');
      if (tile === null) return damaged(leavesOf(index, width), 'their tile is missing');
      const entries = entriesIn(bundle);
      if (entries === null) return damaged(leavesOf(index, width), 'their bundle cannot be read');
      const hashes = hashesIn(tile, width);
      if (hashes === null)
        return damaged(
          `leaf ${index * TILE_WIDTH + Math.floor(tile.length / HASH_BYTES)}`,
          `its tile has ${tile.length} bytes, not ${width} hashes`,
        );
      const problem = this.#compare(index * TILE_WIDTH, entries, hashes);
      if (problem !== null) return problem;
      onProgress(this.tree.size, size);
    }
    return null;
  }

  /** Every tile above the lowest is what follows from those below. */
  async upperTiles(size: number): Promise<ExportProblem | null> {
    for (let level = 1; level < tileLevels(size); level++)
      for (let index = 0; index <= fullTiles(level, size); index++) {
        const width = index < fullTiles(level, size) ? TILE_WIDTH : partialWidth(level, size);
        if (width === 0) continue;
        const path = tilePath({ level, index, width });
        const tile = await this.#read(path);
        if (tile === null) return damaged(path, 'it is missing');
        const made = tileHashes(this.tree, { level, index, width });
        if (equal(tile, made)) continue;
        const at = made.findIndex((byte, i) => byte !== tile[i]);
        const under = TILE_WIDTH ** level;
        const first = (index * TILE_WIDTH + Math.floor(Math.max(0, at) / HASH_BYTES)) * under;
        return damaged(path, `its hash over leaves ${first} to ${first + under - 1} is not theirs`);
      }
    return null;
  }

  #compare(first: number, entries: readonly Bytes[], hashes: readonly Bytes[]): ExportProblem | null {
    for (const [i, hash] of hashes.entries()) {
      const [entry, next] = [entries[i], hashes[i + 1]];
      const own = entry === undefined ? null : leafHash(entry, this.#crypto.sha256);
      if (entry === undefined || own === null) return damaged(`leaf ${first + i}`, 'it was dropped');
      if (!equal(own, hash)) {
        const dropped = next !== undefined && equal(own, next);
        const why = dropped ? 'it was dropped' : 'its entry is not the one that was logged';
        return damaged(dropped ? `leaf ${first + i}` : nameOf(first + i, entry), why);
      }
      const gap = this.#take(first + i, entry);
      if (gap !== null) return gap;
      this.tree.append(hash);
    }
    const more = entries.length > hashes.length;
    return more ? damaged(`leaf ${first + hashes.length}`, 'its bundle has entries that no tile has') : null;
  }

  /** Counts it; events of a station follow one another in their journal. */
  #take(index: number, entry: Bytes): ExportProblem | null {
    const said = readLeaf(entry);
    const kind = said?.kind ?? 'unknown';
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
    const [, journal, sequence] = /^event\/(.+)\/(\d+)$/.exec(said?.key ?? '') ?? [];
    if (journal === undefined) return null;
    const before = this.#events.get(journal) ?? -1;
    this.#events.set(journal, Number(sequence));
    if (Number(sequence) === before + 1) return null;
    return damaged(nameOf(index, entry), `the events before it, from ${before + 1} on, are not in the log`);
  }
}

function ofRoot(head: Checkpoint, tree: MerkleTree): ExportProblem | null {
  if (equal(tree.root(), head.root)) return null;
  return {
    where: `leaves 0 to ${head.size - 1}`,
    why: 'their root is not the one that was signed; compare with an earlier export to find the first of them',
    kind: 'forked',
  };
}

function leavesOf(index: number, width: number): string {
  return `leaves ${index * TILE_WIDTH} to ${index * TILE_WIDTH + width - 1}`;
}

function nameOf(index: number, entry: Bytes): string {
  const said = readLeaf(entry);
  return said === null ? `leaf ${index}` : `leaf ${index} (${said.key})`;
}

function damaged(where: string, why: string): ExportProblem {
  return { where, why, kind: 'damaged' };
}
