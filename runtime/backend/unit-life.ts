/**
 * Does to units what officers have approved: each act is judged by the unit's own history under the lock of the log,
 * appended as a leaf that names the event before it, and overwrites nothing.
 */
import type { BackendConfig } from '../../config/backend.ts';
import { Fault } from '../core/faults.ts';
import { lifeAfter } from '../core/history/life.ts';
import { serialsIn, UNIT_LEAVES_MAX, unitHistoryOf } from '../core/history/unit-history.ts';
import { type UnitState, unitStateOf } from '../core/history/unit-state.ts';
import { instantOf } from '../core/instant.ts';
import { leafOf, readLeaf } from '../core/log/leaf.ts';
import { type Approval, demandApprovals } from '../core/messages/approval.ts';
import { type LifeOrder, SCRAP_WITNESSES, setAside } from '../core/messages/unit-life.ts';
import { planHashOf } from '../core/pki/root.ts';
import type { FleetTransaction } from '../core/store/fleet.ts';
import type { Draft } from './draft.ts';
import type { BackendPorts } from './ports.ts';
import type { Sequencer } from './sequencer.ts';

type Asked = Pick<LifeOrder, 'eid' | 'act' | 'reason' | 'evidence'>;

/** @throws Fault LIFE_REFUSED, HISTORY_TOO_LONG */
export async function planLife(tx: FleetTransaction, asked: Asked, madeAt: string): Promise<LifeOrder> {
  const state = await stateNow(tx, asked.eid);
  return { contract: 'holdfast/life-order-1', ...asked, ...demandLegal(asked, state), madeAt };
}

export interface Executed {
  readonly leafIndex: number;
  readonly state: LifeOrder['to'];
  readonly at: string;
}

/** Done once: the same order again gets the same answer, when its approvals have run out too.
 * @throws Fault LIFE_REFUSED, APPROVALS_MISSING, APPROVAL_REFUSED, HISTORY_TOO_LONG, STORE_UNAVAILABLE, BACKEND_BUSY */
export async function executeLife(
  order: LifeOrder,
  given: readonly string[],
  { lifeQuorum }: Pick<BackendConfig, 'lifeQuorum'>,
  ports: BackendPorts,
  sequencer: Sequencer,
): Promise<Executed> {
  if (lifeQuorum === null)
    throw refused(order, 'no officers are named for this in the settings of the backend');
  const nowMs = ports.clock.now();
  const subject = planHashOf(order, ports.crypto);
  const { value } = await sequencer.add(async (draft) => {
    const before = await executedBefore(draft, order, subject);
    if (before !== null) return before;
    const demand = { purpose: 'unit-life', subject, quorum: lifeQuorum, nowMs } as const;
    const approvals = demandApprovals(given, demand, ports.trusted, ports.crypto);
    if (order.act === 'scrap' && approvals.length < SCRAP_WITNESSES)
      throw new Fault('APPROVALS_MISSING', {
        purpose: 'unit-life',
        given: approvals.length,
        required: SCRAP_WITNESSES,
      });
    const { from, to, predecessor } = demandLegal(order, await stateNow(draft.tx, order.eid));
    if (from !== order.from || to !== order.to || predecessor !== order.predecessor)
      throw refused(order, 'the unit has changed since the order was made');
    return append(draft, order, { subject, approvals, at: instantOf(nowMs) });
  }, false);
  return value;
}

/** One leaf for each event that is followed: of two orders about the same state one alone is executed. */
const keyOf = ({ eid, predecessor }: LifeOrder): string => `life/${eid}/${predecessor}`;

/** @throws Fault LIFE_REFUSED when something else followed the same event */
async function executedBefore(draft: Draft, order: LifeOrder, subject: string): Promise<Executed | null> {
  const key = keyOf(order);
  if (draft.has(key)) throw refused(order, 'something else is being done to it at this moment');
  const leaf = await draft.tx.leafByKey(key);
  if (leaf === null) return null;
  const said = readLeaf(leaf.entry);
  if (said?.body.subject !== subject) throw refused(order, 'something else was done to it since');
  return { leafIndex: leaf.index, state: order.to, at: said.at };
}

interface Approved {
  readonly subject: string;
  readonly approvals: readonly Approval[];
  readonly at: string;
}

function append(draft: Draft, order: LifeOrder, { subject, approvals, at }: Approved): Executed {
  const { eid, act, from, to, predecessor, reason, evidence } = order;
  const leafIndex = draft.append(
    leafOf('unit-life', keyOf(order), at, {
      ...{ eid, act, from, to, predecessor, reason, evidence, subject },
      approvals: approvals.map(({ officer, approval, reason: why }) => ({ officer, approval, reason: why })),
    }),
  );
  return { leafIndex, state: to, at };
}

/** @throws Fault LIFE_REFUSED where the table of life has no such row, or scrap lacks what it needs */
function demandLegal(order: Asked, { life, before, certificates }: UnitState) {
  if (life === null) throw refused(order, 'nothing is recorded of this unit');
  const to = lifeAfter(order.act, life.state, before);
  if (to === null) throw refused(order, `it is ${life.state}`);
  if (order.act === 'scrap') {
    if (order.evidence === null) throw refused(order, 'nothing shows that its card is terminated');
    const alive = certificates.find(({ standing }) => standing === 'good');
    if (alive !== undefined) throw refused(order, `its certificate ${alive.serial} is not revoked`);
  }
  return { from: life.state, to, predecessor: life.leafIndex };
}

/** What no gate is opened for. @throws Fault UNIT_SET_ASIDE, HISTORY_TOO_LONG */
export async function demandOnLine(tx: FleetTransaction, eid: string): Promise<void> {
  const { life } = await stateNow(tx, eid);
  if (life !== null && setAside.includes(life.state))
    throw new Fault('UNIT_SET_ASIDE', { eid: eid.slice(-4), state: life.state, since: life.at });
}

/** Later than every time. */
const END = '~';

async function stateNow(tx: FleetTransaction, eid: string): Promise<UnitState> {
  const [leaves, fallen] = await Promise.all([
    tx.leavesAbout(eid, END, UNIT_LEAVES_MAX),
    tx.revokedIssuers(),
  ]);
  if (leaves.length >= UNIT_LEAVES_MAX)
    throw new Fault('HISTORY_TOO_LONG', { eid: eid.slice(-4), leaves: leaves.length });
  const serials = serialsIn(leaves);
  const revocations = serials.length === 0 ? [] : await tx.revocationsAmong(serials);
  return unitStateOf(eid, unitHistoryOf({ leaves, revocations, fallen }, END));
}

function refused({ eid, act }: Pick<LifeOrder, 'eid' | 'act'>, why: string): Fault {
  return new Fault('LIFE_REFUSED', { eid: eid.slice(-4), act, why });
}
