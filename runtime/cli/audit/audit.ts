/**
 * Checks the whole fleet log by itself: every leaf, the root over them, the signature on the root, and that the
 * tables hold what the log says, nothing less and nothing else.
 */
import { equal, toHex } from '../../core/bytes.ts';
import { chainHash } from '../../core/journal/entry.ts';
import { openCheckpoint } from '../../core/log/checkpoint.ts';
import type { NoteKey } from '../../core/log/note.ts';
import { MerkleTree, verifyInclusion } from '../../core/log/tree.ts';
import type { Crypto } from '../../core/ports.ts';
import type { EventRow, HeadRow } from '../../core/store/fleet.ts';
import type { FleetReader } from '../means.ts';
import { type Evidence, evidenceOf, objectionTo } from './leaves.ts';
import { differenceOf, type Standing, standingOf, takeLeaf } from './revocations.ts';
import { ofTiles } from './tile-check.ts';

/** How far the check came, and the first thing that is wrong. */
export interface Audit {
  readonly size: number;
  readonly root: string;
  readonly leaves: number;
  /** By the kind of leaf. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly records: number;
  readonly inclusionProofs: number;
  readonly problem: Problem | null;
}

export interface Problem {
  /** `leaf 7 (record/…)`, `head`. */
  readonly where: string;
  readonly why: string;
}

const LEAVES_PER_READ = 500;

/** Where something stands that must have a leaf. */
interface Claim {
  readonly what: string;
  readonly index: number;
  readonly keys: readonly string[];
}

/** @param onProgress told the number of leaves read so far */
export async function auditFleet(
  fleet: FleetReader,
  logKey: NoteKey,
  crypto: Crypto,
  onProgress: (leaves: number, size: number) => void,
): Promise<Audit> {
  const { claims, standing, head } = await beginning(fleet, crypto);
  const reading = new Reading(crypto);
  let problem: Problem | null = null;
  while (problem === null && reading.tree.size < head.size) {
    const from = reading.tree.size;
    const count = Math.min(LEAVES_PER_READ, head.size - from);
    const batch = await fleet.read(async (view) => {
      const leaves = await view.leaves(from, count);
      return Promise.all(leaves.map((leaf) => evidenceOf(leaf, view)));
    });
    problem = reading.take(batch) ?? (batch.length < count ? missing(reading.tree.size) : null);
    onProgress(reading.tree.size, head.size);
  }
  // A confirmation that was committed while the leaves were read belongs to a later head.
  const confirmations = reading.claims.filter((claim) => claim.index < head.size);
  problem ??=
    ofHead(head, reading.tree, logKey, crypto) ??
    ofClaims([...claims, ...confirmations], reading.keys) ??
    differenceOf(reading.standing, standing, crypto) ??
    (await ofTiles(fleet, reading.tree, head.size));
  let inclusionProofs = 0;
  for (const index of problem === null ? reading.registrations : []) {
    if (!isIncluded(index, reading.tree, crypto)) {
      problem = { where: `leaf ${index}`, why: 'its inclusion is not proved' };
      break;
    }
    inclusionProofs += 1;
  }
  return {
    size: head.size,
    root: toHex(head.root),
    leaves: reading.tree.size,
    kinds: Object.fromEntries(reading.kinds),
    records: reading.registrations.length,
    inclusionProofs,
    problem,
  };
}

/** What was read so far; only hashes and names are kept of it. */
class Reading {
  readonly tree: MerkleTree;
  readonly kinds = new Map<string, number>();
  /** Leaves of identity records. */
  readonly registrations: number[] = [];
  /** Of confirmations: with the record in the first, each later one in a leaf of its own. */
  readonly claims: Claim[] = [];
  /** Of revocations and stations, what the leaves say. */
  readonly standing: Standing = new Map();
  /** By index, of the leaves that a row may claim. */
  readonly keys = new Map<number, string>();
  readonly #crypto: Crypto;
  /** The last event of each journal, which the next one continues. */
  readonly #events = new Map<string, EventRow>();

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
    this.tree = new MerkleTree(crypto.sha256);
  }

  /** Null when all is well with these leaves. */
  take(batch: readonly Evidence[]): Problem | null {
    for (const evidence of batch) {
      const { leaf, said } = evidence;
      if (leaf.index !== this.tree.size) return missing(this.tree.size);
      const why = objectionTo(evidence, this.#crypto) ?? this.#ofChain(evidence.event);
      if (why !== null) return { where: `leaf ${leaf.index} (${leaf.key})`, why };
      this.tree.append(leaf.hash);
      const kind = said?.kind ?? 'unknown';
      this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
      if (kind === 'registration') this.#takeRegistration(evidence);
      if (kind !== 'station-event') this.keys.set(leaf.index, leaf.key);
      if (said !== null) takeLeaf(this.standing, leaf.index, said);
    }
    return null;
  }

  #takeRegistration({ leaf, confirmations }: Evidence): void {
    this.registrations.push(leaf.index);
    for (const { operation, epoch, leafIndex } of confirmations)
      this.claims.push({
        what: `confirmation of operation ${operation}, epoch ${epoch}`,
        index: leafIndex,
        keys: [`record/${operation}`, `confirmation/${operation}/${epoch}`],
      });
  }

  /** Each event continues the one before it in its journal, by text and hash. */
  #ofChain(event: EventRow | null): string | null {
    if (event === null) return null;
    const before = this.#events.get(event.journal);
    this.#events.set(event.journal, event);
    if (before === undefined) return event.sequence === 0 ? null : 'the events before it are not in the log';
    const hash = chainHash(event.text, event.sequence, before.hash, this.#crypto.sha256);
    const follows = event.sequence === before.sequence + 1 && hash === event.hash;
    return follows ? null : 'the station event does not continue the journal it belongs to';
  }
}

/** The head, and every row that must have its leaf below it: the rows are read first, so that none is newer. */
async function beginning(
  fleet: FleetReader,
  crypto: Crypto,
): Promise<{ readonly claims: readonly Claim[]; readonly standing: Standing; readonly head: HeadRow }> {
  return fleet.read(async (view) => {
    const records = (await view.listRecords(ALL)).map(({ operation, leafIndex }) => ({
      what: `identity record of operation ${operation}`,
      index: leafIndex,
      keys: [`record/${operation}`],
    }));
    const rejections = (await view.listRejections(ALL)).map(({ visit, leafIndex }) => ({
      what: `rejection of visit ${visit}`,
      index: leafIndex,
      keys: [`rejection/${visit}`],
    }));
    const standing = await standingOf(view, crypto);
    return { claims: [...records, ...rejections], standing, head: await view.readHead() };
  });
}

/** More rows than any log has leaves. */
const ALL = 2 ** 40;

function ofClaims(claims: readonly Claim[], keys: ReadonlyMap<number, string>): Problem | null {
  const bad = claims.find(({ index, keys: own }) => !own.includes(keys.get(index) ?? ''));
  return bad === undefined ? null : { where: bad.what, why: `leaf ${bad.index} of the log is not its own` };
}

function ofHead(head: HeadRow, tree: MerkleTree, logKey: NoteKey, crypto: Crypto): Problem | null {
  if (head.size === 0) return null;
  if (!equal(tree.root(), head.root))
    return { where: 'head', why: 'its root is not the root over the leaves' };
  const checkpoint = openCheckpoint(head.checkpoint, logKey, crypto);
  if (checkpoint === null)
    return { where: 'checkpoint', why: `it is not signed by the log key of ${logKey.name}` };
  if (checkpoint.size !== head.size || !equal(checkpoint.root, head.root))
    return { where: 'checkpoint', why: `it is of size ${checkpoint.size} or another root than the head` };
  return null;
}

function isIncluded(index: number, tree: MerkleTree, { sha256 }: Crypto): boolean {
  const [leaf, root, proof] = [tree.leaf(index), tree.root(), tree.inclusionProof(index)];
  return verifyInclusion({ index, size: tree.size, leaf, proof, root }, sha256);
}

function missing(index: number): Problem {
  return { where: `leaf ${index}`, why: 'it is missing' };
}
