/**
 * Appends to the fleet log: takes whatever waits into ONE transaction with the head row locked, and only
 * after COMMIT lets anything out. Alone an item commits at once; under load the groups grow by themselves.
 */
import { type Bytes, equal, fromText } from '../core/bytes.ts';
import { asFault, Fault, isFault } from '../core/faults.ts';
import { checkpointText } from '../core/log/checkpoint.ts';
import { signedNote } from '../core/log/note.ts';
import { ENTRY_BYTES_MAX, gainedTiles } from '../core/log/tile.ts';
import { leafHash, MerkleTree } from '../core/log/tree.ts';
import type { FleetTransaction, HeadRow, LeafRow } from '../core/store/fleet.ts';
import {
  type Committed,
  type Draft,
  flushChanges,
  insertDrafted,
  openDraft,
  type Ready,
  type Shared,
  type Work,
} from './draft.ts';
import type { BackendPorts } from './ports.ts';
import { completeTiles } from './tile-rows.ts';

export type { Committed, Draft, Work } from './draft.ts';

interface Item {
  readonly work: Work<unknown> | Shared<unknown>;
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
  #committed: Committed | null = null;

  constructor(ports: BackendPorts, queueMax: number) {
    this.#ports = ports;
    this.#queueMax = queueMax;
    this.#tree = new MerkleTree(ports.crypto.sha256);
  }

  /** Reads the log and compares it with its head, and with what was told of it before.
   * @throws Fault LOG_FORKED, LOG_ROLLED_BACK, LOG_HEAD_MISSING, STORE_UNAVAILABLE, FILE_UNREADABLE */
  async load(): Promise<void> {
    const checkpoint = await this.#ports.store.transaction(async (tx) => {
      const head = await tx.readHead();
      await this.#catchUp(tx, head);
      return head.checkpoint;
    });
    const { told } = this.#ports.heads;
    if (told === null) await this.#beginMemory();
    else if (!equal(this.#tree.root(told.size), told.root))
      throw new Fault('LOG_FORKED', { told: told.size });
    await completeTiles(this.#ports.store, this.#tree, this.#tree.size);
    this.#committed = { tree: this.#tree, size: this.#tree.size, checkpoint };
  }

  /** The log as it stands after the last commit that this backend knows of; null before it was loaded. */
  get committed(): Committed | null {
    return this.#committed;
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
  add<T>(
    work: Work<T> | Shared<T>,
    urgent: boolean,
  ): Promise<{ readonly value: T; readonly log: Committed }> {
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
      this.#committed = log;
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
    // One flight: the database locks the head first, and answers the rest behind that lock.
    const [head, begun] = await Promise.all([
      tx.lockHead().then(async (locked) => {
        await this.#catchUp(tx, locked);
        return locked;
      }),
      begunTogether(group, tx),
    ]);
    const leaves: LeafRow[] = [];
    const entryOf = async (index: number): Promise<Bytes> => {
      const [row] = await tx.leaves(index, 1);
      if (row === undefined) throw new Fault('LOG_FORKED', { missing: index });
      return row.entry;
    };
    const draft = openDraft(tx, leaves, entryOf, ({ key, entry }) => {
      if (entry.length > ENTRY_BYTES_MAX) throw new Fault('LEAF_TOO_LARGE', { key, bytes: entry.length });
      const hash = leafHash(entry, this.#ports.crypto.sha256);
      const index = this.#tree.size;
      this.#tree.append(hash);
      leaves.push({ index, key, hash, entry });
      return index;
    });
    const outcomes = await outcomesOf(group, begun, draft);
    const tiles = gainedTiles(this.#tree, head.size, this.#tree.size);
    const checkpoint = leaves.length === 0 ? head.checkpoint : this.#checkpoint();
    await Promise.all([
      insertDrafted(draft, leaves),
      tiles.length > 0 ? tx.insertTiles(tiles) : undefined,
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

type Begun = readonly PromiseSettledResult<Ready<unknown> | null>[];

function begunTogether(group: readonly Item[], tx: FleetTransaction): Promise<Begun> {
  return Promise.allSettled(group.map(({ work }) => (typeof work === 'function' ? null : work.begin(tx))));
}

type Outcome = { readonly value: unknown } | { readonly fault: Fault };

/** In the order of the group. Those that share their reads are decided first, and one after the other. */
async function outcomesOf(group: readonly Item[], begun: Begun, draft: Draft): Promise<readonly Outcome[]> {
  const outcomes = new Map<Item, Outcome>();
  const changed = new Set<string>();
  for (const [i, item] of group.entries()) {
    const { work } = item;
    if (typeof work === 'function') continue;
    const act = async (): Promise<unknown> => {
      const { names, act: decided } = await current(work, begun[i], draft, changed);
      for (const name of names) changed.add(name);
      return decided(draft);
    };
    outcomes.set(item, await outcomeOf(act));
  }
  await flushChanges(draft);
  for (const item of group) {
    const { work } = item;
    if (typeof work === 'function') outcomes.set(item, await outcomeOf(() => work(draft)));
  }
  return group.map((item) => outcomes.get(item) ?? { value: undefined });
}

/** What was read, or what is there after somebody before it in the group has changed it. */
async function current(
  work: Shared<unknown>,
  begun: Begun[number] | undefined,
  draft: Draft,
  changed: ReadonlySet<string>,
): Promise<Ready<unknown>> {
  if (begun?.status === 'rejected') throw begun.reason;
  if (begun?.value && !begun.value.names.some((name) => changed.has(name))) return begun.value;
  await flushChanges(draft);
  return work.begin(draft.tx);
}

/** A refusal is one item's; it wrote nothing into the draft before it threw. */
async function outcomeOf(work: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await work() };
  } catch (error) {
    if (!isFault(error) || error.code === 'STORE_UNAVAILABLE') throw error;
    return { fault: error };
  }
}
