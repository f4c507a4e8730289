/**
 * Appends to the fleet log: takes whatever waits into ONE transaction with the head row locked, and only
 * after COMMIT lets anything out. Alone an item commits at once; under load the groups grow by themselves.
 */
import { type Bytes, equal, fromText } from '../core/bytes.ts';
import { asFault, Fault, isFault } from '../core/faults.ts';
import { checkpointText, signedNote } from '../core/log/checkpoint.ts';
import type { Leaf } from '../core/log/leaf.ts';
import { leafHash, MerkleTree } from '../core/log/tree.ts';
import type {
  AppearanceRow,
  ConfirmationRow,
  CustodyRow,
  EventRow,
  FleetTransaction,
  HeadRow,
  LeafRow,
  RecordRow,
  RejectionRow,
  ReleaseRow,
} from '../core/store/fleet.ts';
import type { BackendPorts } from './ports.ts';

/** What an item writes; rows are inserted together at the end of the transaction. */
export interface Draft {
  readonly tx: FleetTransaction;
  /** Appends a leaf and gives its index. */
  append(leaf: Leaf): number;
  /** Whether a leaf with this key is drafted. */
  has(key: string): boolean;
  /** The bytes of a leaf, drafted or committed before. */
  entryAt(index: number): Promise<Bytes>;
  readonly records: RecordRow[];
  readonly confirmations: ConfirmationRow[];
  readonly custody: CustodyRow[];
  readonly releases: ReleaseRow[];
  readonly rejections: RejectionRow[];
  readonly appearances: AppearanceRow[];
  readonly events: EventRow[];
}

/** Reads what it must under the lock, writes into the draft, and says what became of it: a value or a fault. */
export type Work<T> = (draft: Draft) => Promise<T>;

/** The log as committed; proofs are made from it. */
export interface Committed {
  readonly tree: MerkleTree;
  readonly size: number;
  readonly checkpoint: string;
}

interface Item {
  readonly work: Work<unknown>;
  readonly urgent: boolean;
  readonly resolve: (value: { readonly value: unknown; readonly log: Committed }) => void;
  readonly reject: (fault: unknown) => void;
}

const GROUP_MAX = 256;
const LEAVES_PER_READ = 10_000;

export class Sequencer {
  readonly #ports: BackendPorts;
  readonly #queueMax: number;
  readonly #tree: MerkleTree;
  readonly #queue: Item[] = [];
  #running = false;

  constructor(ports: BackendPorts, queueMax: number) {
    this.#ports = ports;
    this.#queueMax = queueMax;
    this.#tree = new MerkleTree(ports.crypto.sha256);
  }

  /** Reads the log and compares it with its head, and with what was told of it before.
   * @throws Fault LOG_FORKED, LOG_ROLLED_BACK, LOG_HEAD_MISSING, STORE_UNAVAILABLE, FILE_UNREADABLE */
  async load(): Promise<void> {
    await this.#ports.store.transaction(async (tx) => this.#catchUp(tx, await tx.readHead()));
    const { told } = this.#ports.heads;
    if (told === null) return this.#beginMemory();
    if (!equal(this.#tree.root(told.size), told.root)) throw new Fault('LOG_FORKED', { told: told.size });
  }

  /** A backend remembers from its first start on, when there is no leaf: later nothing stands for nothing. */
  async #beginMemory(): Promise<void> {
    const { size } = this.#tree;
    if (size > 0) throw new Fault('LOG_HEAD_MISSING', { size });
    await this.#ports.heads.remember({ size, root: this.#tree.root() });
  }

  /** @throws Fault LOG_ROLLED_BACK when leaves are missing that somebody has a receipt for */
  demandWhole({ size }: HeadRow): void {
    const told = this.#ports.heads.told?.size ?? 0;
    if (size < told) throw new Fault('LOG_ROLLED_BACK', { size, told });
  }

  /** Does `work` in a transaction that commits; resolves after COMMIT with its value and the log then.
   * `urgent`: a unit waits for it. @throws Fault BACKEND_BUSY, STORE_UNAVAILABLE, or what the work threw */
  add<T>(work: Work<T>, urgent: boolean): Promise<{ readonly value: T; readonly log: Committed }> {
    return new Promise((resolve, reject) => {
      if (this.#queue.length >= this.#queueMax) {
        reject(new Fault('BACKEND_BUSY', { waiting: this.#queue.length }));
        return;
      }
      this.#queue.push({ work, urgent, resolve: resolve as Item['resolve'], reject });
      if (this.#running) return;
      this.#running = true;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const urgent = this.#queue.filter((item) => item.urgent);
      const rest = this.#queue.filter((item) => !item.urgent);
      const group = [...urgent, ...rest].slice(0, GROUP_MAX);
      const taken = new Set(group);
      this.#queue.splice(0, this.#queue.length, ...this.#queue.filter((item) => !taken.has(item)));
      await this.#commit(group);
    }
    this.#running = false;
  }

  /** One failing item must not sink its group: a group that fails otherwise than by the store is done singly. */
  async #commit(group: readonly Item[]): Promise<void> {
    try {
      const { outcomes, log } = await this.#ports.store.transaction((tx) => this.#write(tx, group));
      if (log.size > (this.#ports.heads.told?.size ?? 0))
        await this.#ports.heads.remember({ size: log.size, root: this.#tree.root(log.size) });
      this.#ports.log.write('debug', 'committed', { items: group.length, size: log.size });
      for (const [i, item] of group.entries()) {
        const outcome = outcomes[i];
        if (outcome === undefined || 'fault' in outcome) item.reject(outcome?.fault);
        else item.resolve({ value: outcome.value, log });
      }
    } catch (error) {
      if (group.length > 1 && isDataError(error)) for (const item of group) await this.#commit([item]);
      else for (const item of group) item.reject(asFault(error, 'STORE_UNAVAILABLE'));
    }
  }

  async #write(tx: FleetTransaction, group: readonly Item[]) {
    const head = await tx.lockHead();
    await this.#catchUp(tx, head);
    const leaves: LeafRow[] = [];
    const draft: Draft = {
      tx,
      append: (leaf) => {
        const hash = leafHash(leaf.entry, this.#ports.crypto.sha256);
        const index = this.#tree.size;
        this.#tree.append(hash);
        leaves.push({ index, key: leaf.key, hash, entry: leaf.entry });
        return index;
      },
      has: (key) => leaves.some((leaf) => leaf.key === key),
      entryAt: async (index) => {
        const drafted = leaves.find((leaf) => leaf.index === index);
        const [row] = drafted === undefined ? await tx.leaves(index, 1) : [drafted];
        if (row === undefined) throw new Fault('LOG_FORKED', { missing: index });
        return row.entry;
      },
      records: [],
      confirmations: [],
      custody: [],
      releases: [],
      rejections: [],
      appearances: [],
      events: [],
    };
    const outcomes: ({ readonly value: unknown } | { readonly fault: Fault })[] = [];
    for (const item of group) {
      try {
        outcomes.push({ value: await item.work(draft) });
      } catch (error) {
        // A refusal of one item; it wrote nothing into the draft before it threw.
        if (!isFault(error) || error.code === 'STORE_UNAVAILABLE') throw error;
        outcomes.push({ fault: error });
      }
    }
    const checkpoint = leaves.length === 0 ? head.checkpoint : this.#checkpoint();
    await Promise.all([
      insertAll(tx, draft, leaves),
      leaves.length === 0
        ? undefined
        : tx.updateHead({ size: this.#tree.size, root: this.#tree.root(), checkpoint }),
    ]);
    return { outcomes, log: { tree: this.#tree, size: this.#tree.size, checkpoint } };
  }

  /** Makes the tree what the head says: forgets what was not committed, reads what others committed. */
  async #catchUp(tx: FleetTransaction, head: HeadRow): Promise<void> {
    this.demandWhole(head);
    this.#tree.truncate(head.size);
    while (this.#tree.size < head.size) {
      const rows = await tx.leaves(this.#tree.size, LEAVES_PER_READ);
      if (rows.length === 0) throw new Fault('LOG_FORKED', { size: head.size, leaves: this.#tree.size });
      for (const row of rows) this.#tree.append(row.hash);
    }
    if (head.size > 0 && !equal(this.#tree.root(head.size), head.root))
      throw new Fault('LOG_FORKED', { size: head.size });
  }

  #checkpoint(): string {
    const { logSigner, crypto } = this.#ports;
    const text = checkpointText({
      origin: logSigner.key.name,
      size: this.#tree.size,
      root: this.#tree.root(),
    });
    return signedNote(text, logSigner.key, logSigner.sign(fromText(text)), crypto);
  }
}

/** Whether the database refused what was written, so that a smaller group may pass; a lost answer is not that. */
function isDataError(error: unknown): boolean {
  if (!isFault(error)) return true;
  return error.context.outcome === 'conflict' || error.context.sqlState !== undefined;
}

/** One flight: none of these rows depends on another being there first. */
async function insertAll(tx: FleetTransaction, draft: Draft, leaves: readonly LeafRow[]): Promise<void> {
  await Promise.all([
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
