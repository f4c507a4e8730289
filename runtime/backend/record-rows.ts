/** The rows that a registration adds to the fleet: the identity record, its confirmation, custody, and their leaf. */
import type { BackendConfig } from '../../config/backend.ts';
import { fromText, toHex } from '../core/bytes.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import { Fault, type FaultNote } from '../core/faults.ts';
import type { ControllerReport, GateKind } from '../core/gate/release.ts';
import { type InjectionSources, injectionBody } from '../core/history/injection.ts';
import { leafOf } from '../core/log/leaf.ts';
import { hashOf } from '../core/messages/envelope.ts';
import type { Confirmation } from '../core/messages/receipts.ts';
import type { TicketPayload } from '../core/messages/ticket.ts';
import { buildRecord } from '../core/record/build.ts';
import { type IdentityRecord, identityRecord } from '../core/record/identity-record.ts';
import type { RecordRow } from '../core/store/fleet.ts';
import type { BackendPorts } from './ports.ts';
import type { Draft } from './sequencer.ts';

/** Everything that can be checked without the store, before anything waits for a lock. */
export interface CheckedRegistration {
  readonly confirmation: Confirmation;
  readonly jws: { readonly reservation: string; readonly confirmation: string; readonly ticket: string };
  readonly ticket: TicketPayload;
  readonly report: ControllerReport;
  readonly gate: GateKind;
  readonly holds: readonly FaultNote[];
  /** Pseudonym of who was in charge as it was reserved, or the named authority. */
  readonly operator: string;
  /** As the station names its program. */
  readonly software: string;
  /** When the reservation was signed. */
  readonly reservedAt: string;
  readonly sent: { readonly jws: string; readonly hash: string };
  readonly at: string;
}

/** The first registration of an operation. */
export function writeRecord(
  draft: Draft,
  owner: RecordRow | null,
  checked: CheckedRegistration,
  config: BackendConfig,
  ports: BackendPorts,
): { readonly leafIndex: number; readonly recordHash: string } {
  const { confirmation: c, jws } = checked;
  const certificate = 'absent' in c.certificate ? null : c.certificate;
  const drafted =
    certificate !== null && draft.records.some((r) => r.publicKeyHash === certificate.publicKeyHash);
  if (owner !== null || drafted)
    throw new Fault('CERTIFICATE_REFUSED', { why: 'the public key belongs to another unit' });
  const confirmationHash = hashOf(jws.confirmation, ports.crypto);
  const custody = custodyOf(checked, ports);
  const hashes = { confirmationHash, reservationHash: hashOf(jws.reservation, ports.crypto) };
  const record = recordOf(checked, custody, hashes, config);
  const bytes = fromText(canonicalJson(record));
  const recordHash = toHex(ports.crypto.sha256(bytes));
  const leafIndex = draft.append(
    leafOf('registration', `record/${c.operation}`, checked.at, {
      ...injectionBody(injectionOf(checked, confirmationHash)),
      recordHash,
      gate: checked.gate,
    }),
  );
  draft.records.push({
    operation: c.operation,
    eid: c.eid,
    certificateSerial: certificate?.serial ?? null,
    publicKeyHash: certificate?.publicKeyHash ?? null,
    record: bytes,
    recordHash,
    leafIndex,
  });
  draft.confirmations.push({
    operation: c.operation,
    epoch: c.epoch,
    jws: jws.confirmation,
    sha256: confirmationHash,
    leafIndex,
  });
  draft.custody.push(
    ...custody.map(({ holder, statement, sha256 }, position) => ({
      operation: c.operation,
      epoch: c.epoch,
      position,
      holder,
      statement,
      sha256,
    })),
  );
  return { leafIndex, recordHash };
}

function recordOf(
  { confirmation, ticket, report, gate, holds, operator, software, reservedAt, at }: CheckedRegistration,
  custody: readonly Custody[],
  {
    confirmationHash,
    reservationHash,
  }: { readonly confirmationHash: string; readonly reservationHash: string },
  config: BackendConfig,
): IdentityRecord {
  return identityRecord.parse(
    buildRecord({
      confirmation,
      confirmationHash,
      ticket,
      custody: custody.map(({ holder, kind, sha256 }) => ({ holder, statement: kind, sha256 })),
      operator,
      controller: report.controller,
      gate,
      rootName: config.rootName,
      holds,
      stationSoftware: software,
      beacon: { at: reservedAt, sha256: reservationHash },
      recordedAt: at,
    }),
  );
}

/** A resume: the record stays, the new confirmation is added; a repetition finds its own. */
export async function writeConfirmation(
  draft: Draft,
  recordHash: string,
  checked: CheckedRegistration,
  ports: BackendPorts,
): Promise<{ readonly leafIndex: number; readonly recordHash: string }> {
  const { confirmation: c, jws, gate, at } = checked;
  const known =
    draft.confirmations.find((row) => row.operation === c.operation && row.epoch === c.epoch) ??
    (await draft.tx.confirmation(c.operation, c.epoch));
  if (known !== null) return { leafIndex: known.leafIndex, recordHash };
  const sha256 = hashOf(jws.confirmation, ports.crypto);
  const leafIndex = draft.append(
    leafOf('confirmation', `confirmation/${c.operation}/${c.epoch}`, at, {
      ...injectionBody(injectionOf(checked, sha256)),
      recordHash,
      gate,
    }),
  );
  draft.confirmations.push({
    operation: c.operation,
    epoch: c.epoch,
    jws: jws.confirmation,
    sha256,
    leafIndex,
  });
  return { leafIndex, recordHash };
}

function injectionOf(
  { confirmation, ticket, operator, software }: CheckedRegistration,
  confirmationHash: string,
): InjectionSources {
  return { confirmation, confirmationHash, ticket, operator, stationSoftware: software };
}

interface Custody {
  readonly holder: string;
  readonly kind: string;
  readonly statement: string;
  readonly sha256: string;
}

/** Who held the issuance, as their own signed statements. */
function custodyOf(
  { confirmation: c, jws, sent }: CheckedRegistration,
  ports: BackendPorts,
): readonly Custody[] {
  const statements = [
    { holder: 'ticket-authority', kind: 'ticket', statement: jws.ticket },
    { holder: 'backend', kind: 'reservation', statement: jws.reservation },
    { holder: `gateway ${c.gateway}`, kind: 'confirmation', statement: jws.confirmation },
  ].map((held) => ({ ...held, sha256: hashOf(held.statement, ports.crypto) }));
  return [
    ...statements,
    {
      holder: `station ${c.station}`,
      kind: 'registration request',
      statement: sent.jws,
      sha256: sent.hash,
    },
  ];
}
