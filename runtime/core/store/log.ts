/** What the fleet store keeps of the log for its readers: full tiles, and what witnesses said of its checkpoints. */
import type { Bytes } from '../bytes.ts';
import type { TileRow } from '../log/tile.ts';

/** A witness has seen this checkpoint, and that the log had only grown until then. */
export interface CosignatureRow {
  /** Of the checkpoint. */
  readonly size: number;
  readonly witness: string;
  /** By the witness's clock, seconds since 1970. */
  readonly cosignedAt: number;
  /** As in a note, without its line feed. */
  readonly line: string;
  /** The note as the log signed it. */
  readonly checkpoint: string;
}

export interface LogVerbs {
  insertTiles(rows: readonly TileRow[]): Promise<void>;
  /** Tiles [from, from + limit) of a level, in order. */
  tiles(level: number, from: number, limit: number): Promise<readonly TileRow[]>;
  /** Roots of tiles [from, from + limit) of a level, in order. */
  tileRoots(level: number, from: number, limit: number): Promise<readonly Bytes[]>;
  countTiles(level: number): Promise<number>;
  /** One that is kept for the same size and witness stays. */
  insertCosignatures(rows: readonly CosignatureRow[]): Promise<void>;
  /** Of checkpoints of this size and larger, the smallest first. */
  cosignatures(sizeMin: number, limit: number): Promise<readonly CosignatureRow[]>;
  /** The largest size that this witness has cosigned; 0 for none. */
  cosignedSize(witness: string): Promise<number>;
}
