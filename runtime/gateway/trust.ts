/** The trust list as this HSM's gateways know it: kept in their ledger, so that one that was told tells all. */
import { Fault } from '../core/faults.ts';
import { isIntermediateRevoked, openTrustList, type TrustList } from '../core/messages/trust-list.ts';
import type { GatewayPorts } from './ports.ts';

type TrustPorts = Pick<GatewayPorts, 'ledger' | 'trusted' | 'crypto'>;

/** Null before the first. @throws Fault TRUST_LIST_REFUSED, LEDGER_UNAVAILABLE */
export async function currentTrustList(ports: TrustPorts): Promise<TrustList | null> {
  const kept = await ports.ledger.trustList();
  return kept === null ? null : openTrustList(kept.jws, kept.number, ports.trusted, ports.crypto);
}

/** Asks about the key identifiers of intermediates. @throws Fault TRUST_LIST_REFUSED, LEDGER_UNAVAILABLE */
export async function revokedNow(ports: TrustPorts): Promise<(keyIdentifier: Uint8Array) => boolean> {
  const list = await currentTrustList(ports);
  return (keyIdentifier) => isIntermediateRevoked(list, keyIdentifier);
}

/** Durable when it resolves. @throws Fault TRUST_LIST_REFUSED for a list older than one known here */
export async function takeTrustList(jws: string, ports: TrustPorts): Promise<TrustList> {
  const known = await ports.ledger.trustList();
  const list = openTrustList(jws, known?.number ?? 0, ports.trusted, ports.crypto);
  if (!(await ports.ledger.keepTrustList({ number: list.number, jws })))
    throw new Fault('TRUST_LIST_REFUSED', { number: list.number, why: 'older than the list known here' });
  return list;
}
