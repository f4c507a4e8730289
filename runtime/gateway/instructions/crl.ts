/** What the command line may tell a gateway about revocation: it believes what the backend has signed, nothing else. */
import type { GatewayConfig } from '../../../config/gateway.ts';
import { toBase64 } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { hashOf, open } from '../../core/messages/envelope.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { revocationOrder, showCrlInstruction, signCrlInstruction } from '../../core/messages/revocation.ts';
import { parseCrl } from '../../core/pki/crl.ts';
import type { RevokedRow } from '../../core/store/issuer-ledger.ts';
import { type CrlOffice, createCrlOffice, summaryOf, watchCrls } from '../crl-office.ts';
import type { Issuers, ReadyIssuer } from '../issuers.ts';
import type { GatewayPorts } from '../ports.ts';
import { takeTrustList } from '../trust.ts';

/** Publishes a list of each intermediate first, and keeps them fresh; none without the setting `crl`.
 * @throws Fault LEDGER_UNAVAILABLE, HSM_FAILED, CRL_NOT_PUBLISHED */
export async function crlInstructions(
  config: GatewayConfig,
  ports: GatewayPorts,
  issuers: Issuers,
): Promise<readonly InstructionHandler[]> {
  if (config.crl === null) return [];
  const office = createCrlOffice(config.crl, ports, issuers);
  await office.keepFresh();
  watchCrls(office, ports);
  return [
    instructionHandler(signCrlInstruction, async ({ orders, trustList }) => {
      const taken = trustList === null ? null : await takeTrustList(trustList, ports);
      if (taken !== null) ports.log.write('info', 'trust-list-taken', { number: taken.number });
      const known = taken?.number ?? (await ports.ledger.trustList())?.number ?? null;
      return { crls: await obey(orders, { office, ports, issuers }), trustList: known };
    }),
    instructionHandler(showCrlInstruction, async ({ issuer }) => {
      const wanted = [...issuers.values()].filter(({ name }) => issuer === null || name === issuer);
      const rows = await Promise.all(wanted.map(({ name }) => ports.ledger.newestCrl(name)));
      return {
        crls: rows
          .filter((row) => row !== null)
          .map((row) => ({ ...summaryOf(row, ports), der: toBase64(row.crl) })),
        trustList: (await ports.ledger.trustList())?.jws ?? null,
      };
    }),
  ];
}

interface Obeying {
  readonly office: CrlOffice;
  readonly ports: GatewayPorts;
  readonly issuers: Issuers;
}

/** Every order is judged before any is obeyed; each intermediate gets one list. */
async function obey(orders: readonly string[], { office, ports, issuers }: Obeying) {
  const byIssuer = new Map<ReadyIssuer, RevokedRow[]>();
  for (const jws of orders) {
    const { issuer, rows } = await judged(jws, ports, issuers);
    byIssuer.set(issuer, [...(byIssuer.get(issuer) ?? []), ...rows]);
  }
  const crls = [];
  for (const [issuer, rows] of byIssuer) {
    const before = await ports.ledger.newestCrl(issuer.name);
    // An order given again changes nothing: its certificates are on the list already.
    const listed = before === null ? null : parseCrl(before.crl).entries;
    const obeyed = rows.every(({ serial }) => listed?.has(serial));
    crls.push(before !== null && obeyed ? before : await office.revoke(issuer, rows));
  }
  return crls.map((row) => summaryOf(row, ports));
}

/** @throws Fault REVOCATION_ORDER_REFUSED */
async function judged(
  jws: string,
  ports: GatewayPorts,
  issuers: Issuers,
): Promise<{ readonly issuer: ReadyIssuer; readonly rows: readonly RevokedRow[] }> {
  const order = openedOrRefused(jws, ports);
  const issuer = issuers.get(order.issuer);
  if (issuer === undefined)
    throw new Fault('REVOCATION_ORDER_REFUSED', {
      issuer: order.issuer,
      why: 'not an intermediate of this gateway',
    });
  const known = await ports.ledger.issuersOf(order.serials);
  const foreign = order.serials.find((serial) => known.get(serial) !== issuer.name);
  if (foreign !== undefined)
    throw new Fault('REVOCATION_ORDER_REFUSED', {
      issuer: issuer.name,
      serial: foreign.slice(-8),
      why: 'this intermediate did not issue it',
    });
  const hash = hashOf(jws, ports.crypto);
  const { reason, revokedAt } = order;
  return {
    issuer,
    rows: order.serials.map((serial) => ({ serial, issuer: issuer.name, reason, revokedAt, order: hash })),
  };
}

function openedOrRefused(jws: string, { trusted, crypto }: GatewayPorts) {
  try {
    return open(revocationOrder, jws, trusted, crypto).payload;
  } catch (error) {
    throw new Fault('REVOCATION_ORDER_REFUSED', { why: 'not signed by the backend' }, { cause: error });
  }
}
