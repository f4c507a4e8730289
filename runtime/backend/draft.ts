/** What items write into one transaction of the fleet log, and how those that wait at the same time share its flights. */
import type { Bytes } from '../core/bytes.ts';
import type { Leaf } from '../core/log/leaf.ts';
import type { MerkleTree } from '../core/log/tree.ts';
import type {
  AppearanceRow,
  ConfirmationRow,
  ControllerRow,
  CustodyRow,
  EventRow,
  FleetTransaction,
  LeafRow,
  OperationRow,
  RecordRow,
  RejectionRow,
  ReleaseRow,
} from '../core/store/fleet.ts';

/** What an item writes; rows are written together at the end of the transaction. */
export interface Draft {
  readonly tx: FleetTransaction;
  /** Appends a leaf and gives its index. */
  append(leaf: Leaf): number;
  /** Whether a leaf with this key is drafted. */
  has(key: string): boolean;
  /** The bytes of a drafted leaf; undefined where none of this key is drafted. */
  entryOf(key: string): Bytes | undefined;
  /** The bytes of a leaf, drafted or committed before. */
  entryAt(index: number): Promise<Bytes>;
  readonly records: RecordRow[];
  readonly confirmations: ConfirmationRow[];
  readonly custody: CustodyRow[];
  readonly releases: ReleaseRow[];
  readonly rejections: RejectionRow[];
  readonly appearances: AppearanceRow[];
  readonly events: EventRow[];
  /** Rows that are there already and change, by their names; for items that are begun together alone. */
  readonly operations: Map<string, OperationRow>;
  readonly controllers: Map<string, ControllerRow>;
}

/** Reads what it must under the lock, writes into the draft, and says what became of it: a value or a fault. */
export type Work<T> = (draft: Draft) => Promise<T>;

/** An item whose reads go out together with those of all others of its group, before any of them is decided. */
export interface Shared<T> {
  /** Reads. It is asked again where an item before it has changed what it had read. */
  begin(tx: FleetTransaction): Promise<Ready<T>>;
}

export interface Ready<T> {
  /** Of every row that it has read and of which another item may change something. */
  readonly names: readonly string[];
  /** Decides and writes into the draft; what it must wait for is drafted before. */
  readonly act: Work<T>;
}

/** The log as committed; proofs are made from it. */
export interface Committed {
  readonly tree: MerkleTree;
  readonly size: number;
  readonly checkpoint: string;
}

/** @param take a leaf is appended; its index */
export function openDraft(
  tx: FleetTransaction,
  leaves: readonly LeafRow[],
  entryOf: (index: number) => Promise<Bytes>,
  take: (leaf: Leaf) => number,
): Draft {
  return {
    tx,
    append: take,
    has: (key) => leaves.some((leaf) => leaf.key === key),
    entryOf: (key) => leaves.find((leaf) => leaf.key === key)?.entry,
    entryAt: async (index) => {
      const first = leaves[0]?.index ?? 0;
      return leaves[index - first]?.entry ?? (await entryOf(index));
    },
    records: [],
    confirmations: [],
    custody: [],
    releases: [],
    rejections: [],
    appearances: [],
    events: [],
    operations: new Map(),
    controllers: new Map(),
  };
}

/** Writes the rows that change, so that what is read from here on sees them. */
export async function flushChanges({ tx, operations, controllers }: Draft): Promise<void> {
  const [changed, reported] = [[...operations.values()], [...controllers.values()]];
  operations.clear();
  controllers.clear();
  await Promise.all([
    changed.length > 0 ? tx.updateOperations(changed) : undefined,
    reported.length > 0 ? tx.updateControllers(reported) : undefined,
  ]);
}

/** One flight: none of these rows depends on another being there first. */
export async function insertDrafted(draft: Draft, leaves: readonly LeafRow[]): Promise<void> {
  const { tx } = draft;
  await Promise.all([
    flushChanges(draft),
    leaves.length > 0 ? tx.insertLeaves(leaves) : undefined,
    draft.records.length > 0 ? tx.insertRecords(draft.records) : undefined,
    draft.confirmations.length > 0 ? tx.insertConfirmations(draft.confirmations) : undefined,
    draft.custody.length > 0 ? tx.insertCustody(draft.custody) : undefined,
    draft.releases.length > 0 ? tx.insertReleases(draft.releases) : undefined,
    draft.rejections.length > 0 ? tx.insertRejections(draft.rejections) : undefined,
    draft.appearances.length > 0 ? tx.insertAppearances(draft.appearances) : undefined,
    draft.events.length > 0 ? tx.insertEvents(draft.events) : undefined,
  ]);
}
