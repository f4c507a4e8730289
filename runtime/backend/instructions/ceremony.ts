/**
 * Links a ceremony record into the fleet log: judged first, and one leaf however often it is told. A ceremony has one
 * record: approvals that were used once serve no second one.
 */
import { toBase64, toHex } from '../../core/bytes.ts';
import type { CeremonyRecord } from '../../core/ceremony/record.ts';
import { verifyRecord } from '../../core/ceremony/verification.ts';
import { demandWitnesses } from '../../core/ceremony/witness.ts';
import { Fault } from '../../core/faults.ts';
import { instantMs, instantOf } from '../../core/instant.ts';
import { leafOf, readLeaf } from '../../core/log/leaf.ts';
import { ceremonyRecordInstruction } from '../../core/messages/ceremony-record.ts';
import { hashOf } from '../../core/messages/envelope.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import type { BackendPorts } from '../ports.ts';
import type { Draft, Sequencer } from '../sequencer.ts';

/** How far the clock of the HSM room may be ahead. */
const CLOCKS_MS = 300_000;

export function ceremonyInstructions(
  ports: BackendPorts,
  sequencer: Sequencer,
): readonly InstructionHandler[] {
  return [
    instructionHandler(ceremonyRecordInstruction, async ({ record: jws, witnesses: given }) => {
      const { record } = verifyRecord(jws, ports.trusted, ports.crypto);
      const nowMs = ports.clock.now();
      if (instantMs(record.endedAt) > nowMs + CLOCKS_MS)
        throw new Fault('CEREMONY_RECORD_INVALID', { check: 'time', why: 'ends in the future' });
      const witnesses = demandWitnesses(given, { record, jws, nowMs }, ports.trusted, ports.crypto);
      const hash = hashOf(jws, ports.crypto);
      const linked = { record, hash, witnesses: witnesses.map(({ officer }) => officer) };
      const { value, log } = await sequencer.add((draft) => link(draft, linked, nowMs), false);
      return {
        record: hash,
        leafIndex: value.index,
        leaf: toBase64(value.entry),
        inclusionProof: log.tree.inclusionProof(value.index, log.size).map(toHex),
        checkpoint: log.checkpoint,
      };
    }),
  ];
}

interface Linked {
  readonly record: CeremonyRecord;
  readonly hash: string;
  /** Officers besides the conductor. */
  readonly witnesses: readonly string[];
}

/** @throws Fault CEREMONY_RECORD_INVALID for a second record of one ceremony */
async function link(draft: Draft, { record, hash, witnesses }: Linked, nowMs: number) {
  const leaf = leafOf('ceremony', `ceremony/${record.plan.id}`, instantOf(nowMs), {
    recordHash: hash,
    planHash: record.planHash,
    ceremony: record.plan.id,
    role: record.plan.token.role,
    tokenSerial: record.token.serial,
    softwareToken: record.token.softwareToken,
    did: record.plan.steps.map((step) => step.do),
    conductor: record.conductor,
    witnesses,
    officers: [...new Set(record.steps.flatMap(({ approvals }) => approvals.map(({ officer }) => officer)))],
  });
  const known = await draft.tx.leafByKey(leaf.key);
  if (known !== null) {
    if (readLeaf(known.entry)?.body.recordHash === hash) return { index: known.index, entry: known.entry };
    throw new Fault('CEREMONY_RECORD_INVALID', {
      check: 'ceremony',
      why: 'the log holds another record of this ceremony',
      leaf: known.index,
    });
  }
  return { index: draft.append(leaf), entry: leaf.entry };
}
