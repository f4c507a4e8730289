/**
 * Executes an approved plan: certificates and intermediates are marked in one transaction with the leaves of the
 * log and the next trust list; then the orders for the gateway are signed. Done once, however often it is asked.
 */
import { Fault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { fittingLeafOf } from '../core/log/leaf.ts';
import { type Approval, demandApprovals } from '../core/messages/approval.ts';
import { seal } from '../core/messages/envelope.ts';
import { ORDER_CERTIFICATES_MAX, revocationOrder } from '../core/messages/revocation.ts';
import { type TrustList, trustListStatement } from '../core/messages/trust-list.ts';
import { type RevocationPlan, sameEffect } from '../core/pki/revocation-plan.ts';
import { planHashOf } from '../core/pki/root.ts';
import type { RevocationRow, RevokedIssuerRow, TrustListRow } from '../core/store/revocation.ts';
import type { RevocationSettings } from './instructions/revocation.ts';
import type { BackendPorts } from './ports.ts';
import { planRevocation } from './revocation-facts.ts';
import type { Draft, Sequencer } from './sequencer.ts';

interface Executing {
  readonly settings: RevocationSettings;
  readonly ports: BackendPorts;
  readonly sequencer: Sequencer;
}

interface Executed {
  readonly executedAt: string;
  readonly leafIndex: number;
  readonly rows: readonly RevocationRow[];
  readonly issuers: readonly string[];
  readonly trustList: string | null;
}

/** @throws Fault APPROVALS_MISSING, APPROVAL_REFUSED, REVOCATION_REFUSED, STORE_UNAVAILABLE, BACKEND_BUSY */
export async function executeRevocation(
  plan: RevocationPlan,
  given: readonly string[],
  { settings, ports, sequencer }: Executing,
) {
  const nowMs = ports.clock.now();
  const hash = planHashOf(plan, ports.crypto);
  const demand = { purpose: 'revocation', subject: hash, quorum: settings.quorum, nowMs } as const;
  const { value } = await sequencer.add(async (draft) => {
    const before = await executedBefore(draft, hash);
    if (before !== null) return before;
    // Judged here, so that a plan that was executed answers again after its approvals have run out.
    const approvals = demandApprovals(given, demand, ports.trusted, ports.crypto);
    await demandCurrent(draft, plan, settings);
    return execute(draft, { plan, hash, approvals, at: instantOf(nowMs) }, ports);
  }, false);
  return {
    plan: hash,
    executedAt: value.executedAt,
    leafIndex: value.leafIndex,
    certificates: value.rows.length,
    intermediates: [...value.issuers],
    orders: await ordersOf(hash, value.rows, ports),
    trustList: value.trustList,
  };
}

async function executedBefore({ tx }: Draft, plan: string): Promise<Executed | null> {
  const known = await tx.executedPlan(plan);
  if (known === null) return null;
  const issuers = (await tx.revokedIssuers()).filter((row) => row.plan === plan).map((row) => row.issuer);
  return {
    ...known,
    rows: await tx.revocationsUnder(plan),
    issuers,
    trustList: (await tx.newestTrustList())?.jws ?? null,
  };
}

/** @throws Fault REVOCATION_REFUSED when the fleet no longer says what was approved */
async function demandCurrent(
  { tx }: Draft,
  plan: RevocationPlan,
  settings: RevocationSettings,
): Promise<void> {
  const now = await planRevocation(tx, plan, settings);
  if (!sameEffect(plan, now))
    throw new Fault('REVOCATION_REFUSED', {
      why: 'the fleet has changed since the plan was made',
      certificates: now.certificates.length,
      collateral: now.collateral.units,
    });
  if (plan.certificates.length + plan.intermediates.length === 0)
    throw new Fault('REVOCATION_REFUSED', { why: 'nothing is left to revoke' });
}

interface Approved {
  readonly plan: RevocationPlan;
  readonly hash: string;
  readonly approvals: readonly Approval[];
  readonly at: string;
}

async function execute(draft: Draft, approved: Approved, ports: BackendPorts): Promise<Executed> {
  const { plan, hash, approvals, at } = approved;
  const { tx } = draft;
  const leafIndex = draft.append(
    fittingLeafOf(
      'revocation',
      `revocation/${hash}`,
      at,
      {
        plan: hash,
        aim: plan.aim,
        reason: plan.reason,
        intermediates: plan.intermediates.map(({ name, keyIdentifier }) => ({ name, keyIdentifier })),
        certificates: bySerial(plan.certificates).map(({ serial, eid, issuer }) => ({ serial, eid, issuer })),
        collateral: plan.collateral.units,
        approvals: approvals.map(({ officer, approval, reason }) => ({ officer, approval, reason })),
      },
      ports.crypto.sha256,
    ),
  );
  const common = { plan: hash, reason: plan.reason, revokedAt: at, leafIndex };
  const rows = plan.certificates.map(({ serial, eid, issuer }) => ({ serial, eid, issuer, ...common }));
  const fallen = plan.intermediates.map(({ name, keyIdentifier }) => ({
    issuer: name,
    issuerKeyId: keyIdentifier,
    ...common,
  }));
  await tx.insertRevocations(rows);
  for (const row of fallen) await tx.insertRevokedIssuer(row);
  await tx.insertExecutedPlan({ plan: hash, executedAt: at, leafIndex });
  const before = await tx.newestTrustList();
  const trustList = fallen.length === 0 ? before : await nextTrustList(draft, { before, at }, ports);
  return {
    executedAt: at,
    leafIndex,
    rows,
    issuers: fallen.map(({ issuer }) => issuer),
    trustList: trustList?.jws ?? null,
  };
}

/** The next number, and every intermediate and station that is revoked. */
async function nextTrustList(
  draft: Draft,
  { before, at }: { readonly before: TrustListRow | null; readonly at: string },
  ports: BackendPorts,
): Promise<TrustListRow> {
  const [revoked, stations] = [await draft.tx.revokedIssuers(), await draft.tx.revokedStations()];
  const list: TrustList = {
    number: (before?.number ?? 0) + 1,
    issuedAt: at,
    intermediates: revoked.map(entryOf),
    stations: stations.map(({ station, since }) => ({ name: station, revokedAt: since })),
  };
  const jws = await seal(trustListStatement, list, ports.signer, ports.crypto);
  const leafIndex = draft.append(
    fittingLeafOf('trust-list', `trust-list/${list.number}`, at, { ...list }, ports.crypto.sha256),
  );
  const row = { number: list.number, jws, leafIndex };
  await draft.tx.insertTrustList(row);
  return row;
}

function entryOf({
  issuer,
  issuerKeyId,
  reason,
  revokedAt,
}: RevokedIssuerRow): TrustList['intermediates'][number] {
  return { name: issuer, keyIdentifier: issuerKeyId, reason, revokedAt };
}

/** One order for each intermediate, or more where it is long. */
async function ordersOf(
  plan: string,
  rows: readonly RevocationRow[],
  ports: BackendPorts,
): Promise<string[]> {
  const orders: string[] = [];
  for (const issuer of new Set(rows.map((row) => row.issuer))) {
    const own = rows.filter((row) => row.issuer === issuer);
    for (let at = 0; at < own.length; at += ORDER_CERTIFICATES_MAX) {
      const part = own.slice(at, at + ORDER_CERTIFICATES_MAX);
      const [first] = part;
      if (first === undefined) continue;
      const { reason, revokedAt } = first;
      const serials = part.map(({ serial }) => serial);
      orders.push(
        await seal(revocationOrder, { plan, issuer, reason, revokedAt, serials }, ports.signer, ports.crypto),
      );
    }
  }
  return orders;
}

/** In one order, so that rows give the list again whose hash stands in a leaf. */
function bySerial<Row extends { readonly serial: string }>(rows: readonly Row[]): readonly Row[] {
  return [...rows].sort((a, b) => (a.serial < b.serial ? -1 : 1));
}
