/**
 * The ledger as a gateway trusts it: one that has lost nothing of what this gateway told or signed. A ledger restored
 * from a backup has forgotten epochs, attempts, certificates, numbers of lists and revocations; who goes on from it
 * admits what is stale, certifies twice and gives a number again.
 *
 * The ledger counts a mark upward after each write that something follows from, and the gateway remembers the mark
 * apart from the database before it goes on. A lower mark is an older ledger. Of what another gateway of the HSM did
 * after the backup, this one cannot know.
 */
import { Fault } from '../core/faults.ts';
import type { GatewayLedger } from '../core/store/ledger.ts';
import type { MarkMemory } from '../core/store/mark.ts';
import { grouped } from './grouped.ts';

const GROUP_MAX = 256;
const WAITING_MAX = 4096;

/** @throws Fault from each verb that something follows from: LEDGER_ROLLED_BACK, FILE_UNREADABLE */
export function wholeLedger(ledger: GatewayLedger, marks: MarkMemory): GatewayLedger {
  const raise = grouped(
    async (waiting: readonly null[]) => {
      const mark = await ledger.raiseMark(marks.told);
      if (mark === null) throw new Fault('LEDGER_ROLLED_BACK', { told: marks.told });
      await marks.remember(mark);
      return waiting.map(() => null);
    },
    { groupMax: GROUP_MAX, queueMax: WAITING_MAX, namesOf: () => [] },
  );
  /** What was written is under the mark before anything follows from it. */
  const thenMarked = async <T>(work: Promise<T>): Promise<T> => {
    const value = await work;
    await raise(null);
    return value;
  };
  return {
    ...ledger,
    admit: async (row, limits) => {
      await raise(null);
      return thenMarked(ledger.admit(row, limits));
    },
    intendCertificate: (row) => thenMarked(ledger.intendCertificate(row)),
    intendCertificates: (rows) => thenMarked(ledger.intendCertificates(rows)),
    storeCertificate: (serial, der) => thenMarked(ledger.storeCertificate(serial, der)),
    storeCertificates: (rows) => thenMarked(ledger.storeCertificates(rows)),
    conclude: (row) => thenMarked(ledger.conclude(row)),
    beginCrl: async (issuer, revoked) => {
      await raise(null);
      return thenMarked(ledger.beginCrl(issuer, revoked));
    },
    keepTrustList: (list) => thenMarked(ledger.keepTrustList(list)),
    keepStationList: (number, jws) => thenMarked(ledger.keepStationList(number, jws)),
  };
}
