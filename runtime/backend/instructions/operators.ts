/** What the backend is told about operators: that officers register or remove one. Row and leaf are committed together. */
import type { BackendConfig } from '../../../config/backend.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { leafOf } from '../../core/log/leaf.ts';
import { type Approval, demandApprovals } from '../../core/messages/approval.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import {
  listOperatorsInstruction,
  OPERATORS_MAX,
  type OperatorOrder,
  type OperatorRemoval,
  operatorOrderHash,
  operatorRemovalHash,
  pseudonymOf,
  registerOperatorInstruction,
  removeOperatorInstruction,
} from '../../core/messages/operator.ts';
import { ownerOf } from '../operators.ts';
import type { BackendPorts } from '../ports.ts';
import type { Draft, Sequencer } from '../sequencer.ts';

/** Bytes of an operator's key. */
const KEY_BYTES = 32;

export function operatorInstructions(
  config: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
): readonly InstructionHandler[] {
  const approved = (approvals: readonly string[], subject: string): readonly Approval[] => {
    const { operatorQuorum: quorum } = config;
    const why = 'nobody may register an operator here';
    if (quorum === null) throw new Fault('CONFIG_INVALID', { setting: 'operatorQuorum', why });
    const demand = { purpose: 'operator', subject, quorum, nowMs: ports.clock.now() } as const;
    return demandApprovals(approvals, demand, ports.trusted, ports.crypto);
  };
  return [
    instructionHandler(registerOperatorInstruction, async ({ order, approvals }) => {
      const orderHash = operatorOrderHash(order, ports.crypto);
      const by = approved(approvals, orderHash);
      const key = ports.entropy.bytes(KEY_BYTES);
      const at = instantOf(ports.clock.now());
      const { value } = await sequencer.add(
        (draft) => register(draft, { order, orderHash, key, at, by }, ports),
        false,
      );
      return { pseudonym: value };
    }),
    instructionHandler(removeOperatorInstruction, async ({ approvals, ...removal }) => {
      const by = approved(approvals, operatorRemovalHash(removal, ports.crypto));
      const at = instantOf(ports.clock.now());
      const { value } = await sequencer.add((draft) => remove(draft, removal, by, at), false);
      return { pseudonym: removal.pseudonym, leafIndex: value };
    }),
    instructionHandler(listOperatorsInstruction, async () => {
      const rows = await ports.store.transaction((tx) => tx.operatorKeys());
      return { operators: rows.map(({ pseudonym, name, removedAt }) => ({ pseudonym, name, removedAt })) };
    }),
  ];
}

interface Registering {
  readonly order: OperatorOrder;
  readonly orderHash: string;
  readonly key: Uint8Array;
  readonly at: string;
  readonly by: readonly Approval[];
}

/** An order is carried out once: told again it answers what became of it. @throws Fault OPERATOR_REFUSED */
async function register(
  { tx, append }: Draft,
  { order, orderHash, key, at, by }: Registering,
  ports: BackendPorts,
): Promise<string> {
  const [done, rows] = await Promise.all([tx.operatorByOrder(orderHash), tx.operatorKeys()]);
  if (done !== null) {
    if (rows.some((row) => row.pseudonym === done.pseudonym && row.removedAt === null)) return done.pseudonym;
    throw new Fault('OPERATOR_REFUSED', { why: 'this order was used, and its operator removed' });
  }
  const owner = ownerOf(order.badge, rows, ports);
  if (owner !== null)
    throw new Fault('OPERATOR_REFUSED', { why: 'the badge is registered', pseudonym: owner.pseudonym });
  if (rows.length >= OPERATORS_MAX)
    throw new Fault('OPERATOR_REFUSED', { why: 'as many as a backend knows', operators: rows.length });
  const pseudonym = pseudonymOf(order.badge, key, ports.crypto);
  await tx.insertOperator({ pseudonym, orderHash, registeredAt: at });
  await tx.insertOperatorKey({ pseudonym, key, name: order.name, removedAt: null });
  // Neither badge nor name: a leaf stays for ever.
  append(
    leafOf('operator', `operator/${pseudonym}`, at, {
      ...{ act: 'registered', pseudonym, orderHash },
      ...signedBy(by),
    }),
  );
  return pseudonym;
}

/** @returns the leaf that says so, written at this time or before @throws Fault OPERATOR_REFUSED */
async function remove(
  { tx, append }: Draft,
  { pseudonym, forget }: OperatorRemoval,
  by: readonly Approval[],
  at: string,
): Promise<number> {
  const act = forget ? 'forgotten' : 'removed';
  const leaf = leafOf('operator', `operator/${pseudonym}/${act}`, at, { act, pseudonym, ...signedBy(by) });
  const known = await tx.leafByKey(leaf.key);
  if (known !== null) return known.index;
  const changed = forget ? await tx.deleteOperatorKey(pseudonym) : await tx.endOperatorKey(pseudonym, at);
  if (!changed) throw new Fault('OPERATOR_REFUSED', { why: 'no such operator', pseudonym });
  return append(leaf);
}

function signedBy(by: readonly Approval[]) {
  return { officers: by.map(({ officer }) => officer), approvals: by.map(({ approval }) => approval) };
}
