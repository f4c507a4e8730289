/**
 * The revocation lists of a gateway's intermediates: the number is taken in the ledger, the list is signed in the
 * token, verified, kept, and then published. A list without entries is there from the first day.
 */
import type { GatewayConfig } from '../../config/gateway.ts';
import { fromHex, fromText, toHex } from '../core/bytes.ts';
import { asFault, Fault } from '../core/faults.ts';
import { instantMs, instantOf } from '../core/instant.ts';
import type { PublishedCrl } from '../core/messages/revocation.ts';
import { verifiesUnder } from '../core/pki/algorithm.ts';
import { assembleCrl, crlToBeSigned, parseCrl } from '../core/pki/crl.ts';
import { toPem } from '../core/pki/pem.ts';
import type { CrlRow, RevokedRow } from '../core/store/issuer-ledger.ts';
import type { Issuers, ReadyIssuer } from './issuers.ts';
import type { GatewayPorts } from './ports.ts';

export interface CrlOffice {
  /** Adds what is newly revoked, and publishes a new list. Resolves when it is published.
   * @throws Fault LEDGER_UNAVAILABLE, HSM_FAILED, CRL_NOT_PUBLISHED */
  revoke(issuer: ReadyIssuer, revoked: readonly RevokedRow[]): Promise<CrlRow>;
  /** Publishes the list of each intermediate, a new one where more than half of its time is over. */
  keepFresh(): Promise<void>;
}

const DAY_MS = 86_400_000;
/** Between two looks at the lists. */
const LOOK_MS = 3_600_000;
/** A list is valid from a little before it was made: clocks of verifiers differ. */
const BACKDATE_MS = 60_000;

/** @param validityDays from a list to its nextUpdate */
export function createCrlOffice(
  { validityDays }: NonNullable<GatewayConfig['crl']>,
  ports: GatewayPorts,
  issuers: Issuers,
): CrlOffice {
  const revoke = async (issuer: ReadyIssuer, revoked: readonly RevokedRow[]): Promise<CrlRow> => {
    const row = await signed(issuer, revoked, validityDays, ports);
    await ports.ledger.storeCrl(row);
    return published(issuer, row, ports);
  };
  return {
    revoke,
    keepFresh: async () => {
      const nowMs = ports.clock.now();
      for (const issuer of issuers.values()) {
        const newest = await ports.ledger.newestCrl(issuer.name);
        if (newest !== null && isFresh(newest, nowMs)) await published(issuer, newest, ports);
        else await revoke(issuer, []);
      }
    },
  };
}

/** Looks at the lists from time to time for as long as the program runs; a failure is told and tried again. */
export function watchCrls(office: CrlOffice, ports: GatewayPorts): void {
  const look = (): void => {
    const failed = (error: unknown): void => {
      const { code, context } = asFault(error, 'CRL_NOT_PUBLISHED');
      ports.log.write('error', 'fault', { part: 'crl', code, ...context });
    };
    void office.keepFresh().catch(failed);
    ports.clock.after(LOOK_MS, look);
  };
  ports.clock.after(LOOK_MS, look);
}

export function summaryOf(row: CrlRow, ports: Pick<GatewayPorts, 'crypto'>): PublishedCrl {
  return {
    issuer: row.issuer,
    number: row.number,
    entries: parseCrl(row.crl).entries.size,
    bytes: row.crl.length,
    sha256: toHex(ports.crypto.sha256(row.crl)),
    nextUpdate: row.nextUpdate,
  };
}

/** Half of its time is the alarm; a list is never let come near its end. */
function isFresh({ thisUpdate, nextUpdate }: CrlRow, nowMs: number): boolean {
  const [from, to] = [instantMs(thisUpdate), instantMs(nextUpdate)];
  return nowMs < from + (to - from) / 2;
}

/** @throws Fault HSM_FAILED when the token's signature does not verify */
async function signed(
  issuer: ReadyIssuer,
  added: readonly RevokedRow[],
  validityDays: number,
  ports: GatewayPorts,
): Promise<CrlRow> {
  const { number, revoked } = await ports.ledger.beginCrl(issuer.name, added);
  const nowMs = Math.floor(ports.clock.now() / 1000) * 1000;
  const [thisUpdateMs, nextUpdateMs] = [nowMs - BACKDATE_MS, nowMs + validityDays * DAY_MS];
  const tbs = crlToBeSigned({
    issuer: issuer.naming,
    number,
    thisUpdateMs,
    nextUpdateMs,
    entries: revoked.map(({ serial, reason, revokedAt }) => ({
      serial: fromHex(serial),
      reason,
      revokedAtMs: Math.floor(instantMs(revokedAt) / 1000) * 1000,
    })),
  });
  const signature = await ports.token.sign(issuer.key, tbs);
  if (!verifiesUnder(ports.crypto, issuer.authority.publicKey, tbs, signature))
    throw new Fault('HSM_FAILED', { issuer: issuer.name, why: 'the signature of a list does not verify' });
  return {
    issuer: issuer.name,
    number,
    thisUpdate: instantOf(thisUpdateMs),
    nextUpdate: instantOf(nextUpdateMs),
    crl: assembleCrl(tbs, signature),
  };
}

/** What is published is the newest there is, whoever made it meanwhile. */
async function published(issuer: ReadyIssuer, row: CrlRow, ports: GatewayPorts): Promise<CrlRow> {
  const newest = (await ports.ledger.newestCrl(issuer.name)) ?? row;
  await ports.publisher?.publish(`${issuer.name}.crl`, newest.crl);
  await ports.publisher?.publish(`${issuer.name}.crl.pem`, fromText(toPem('X509 CRL', newest.crl)));
  ports.log.write('info', 'crl-published', {
    issuer: issuer.name,
    number: newest.number,
    bytes: newest.crl.length,
  });
  return newest;
}
