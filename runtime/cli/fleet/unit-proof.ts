/** The proof of one unit, made from what the fleet database has: leaf, tiles, and a checkpoint with its cosignatures. */
import { equal } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { judgeNote, type Policy } from '../../core/log/policy.ts';
import { judgeProof, type Proved, proofText } from '../../core/log/proof.ts';
import { leafHash } from '../../core/log/tree.ts';
import type { LeafRow, RecordRow } from '../../core/store/fleet.ts';
import type { CosignatureRow } from '../../core/store/log.ts';
import { createTileSource } from '../audit/tile-source.ts';
import type { FleetView, Means } from '../means.ts';

/** Cosignatures read at a time, and how often: whoever waits longer for a quorum has other troubles. */
const ROWS_PER_READ = 256;
const READS_MAX = 64;

export interface UnitProof {
  readonly text: string;
  readonly proved: Proved;
}

/** The oldest proof that the policy is content with, verified as its receiver will.
 * @throws Fault LOG_FORKED, PROOF_INCOMPLETE */
export async function unitProof(
  record: RecordRow,
  view: FleetView,
  policy: Policy,
  { crypto }: Means,
): Promise<UnitProof> {
  const leaf = await leafOfRecord(record, view, crypto);
  const { note, size } = await noteOver(leaf.index, view, policy, crypto);
  const hashes = await createTileSource(view, size, crypto).inclusionProof(leaf.index, size);
  const text = proofText({ index: leaf.index, hashes, extra: leaf.entry, checkpoint: note });
  const proved = judgeProof(text, record.record, policy, crypto);
  if (typeof proved === 'string')
    throw new Fault('LOG_FORKED', { operation: record.operation, leaf: leaf.index, why: proved });
  return { text, proved };
}

async function leafOfRecord(record: RecordRow, view: FleetView, crypto: Means['crypto']): Promise<LeafRow> {
  const { operation } = record;
  const leaf = await view.leafByKey(`record/${operation}`);
  if (leaf === null || !equal(leafHash(leaf.entry, crypto.sha256), leaf.hash))
    throw new Fault('LOG_FORKED', { operation, why: 'the record is not the one in the log' });
  return leaf;
}

/** The first checkpoint above the leaf that the policy is content with.
 * @throws Fault PROOF_INCOMPLETE with the witnesses that have cosigned, where they are not enough */
async function noteOver(
  index: number,
  view: FleetView,
  policy: Policy,
  crypto: Means['crypto'],
): Promise<{ readonly note: string; readonly size: number }> {
  const head = await view.readHead();
  if (policy.quorum === null) return { note: head.checkpoint, size: head.size };
  const seen = new Set<string>();
  for (let from = index + 1, reads = 0; reads < READS_MAX; reads++) {
    const rows = await view.cosignatures(from, ROWS_PER_READ);
    for (const [size, ofSize] of bySize(rows)) {
      const note = `${ofSize[0]?.checkpoint}${ofSize.map(({ line }) => `${line}\n`).join('')}`;
      const judged = judgeNote(note, policy, crypto);
      if (typeof judged === 'string') continue;
      for (const { name } of judged.witnesses) seen.add(name);
      if (judged.quorum) return { note, size };
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_PER_READ) break;
    from = last.size;
    if (last.size === rows[0]?.size) break;
  }
  throw new Fault('PROOF_INCOMPLETE', {
    leaf: index,
    quorum: policy.quorum,
    cosigned: [...seen].join(', ') || 'nobody',
  });
}

function bySize(rows: readonly CosignatureRow[]): ReadonlyMap<number, readonly CosignatureRow[]> {
  const sizes = new Map<number, CosignatureRow[]>();
  for (const row of rows) sizes.set(row.size, [...(sizes.get(row.size) ?? []), row]);
  return sizes;
}
