/** Makes the identity record of a unit from the signed statements about it. */
import type { FaultNote } from '../faults.ts';
import type { GateKind } from '../gate/release.ts';
import type { Confirmation } from '../messages/receipts.ts';
import type { TicketPayload } from '../messages/ticket.ts';
import { type IdentityRecord, notYet } from './identity-record.ts';

export interface RecordSources {
  readonly confirmation: Confirmation;
  readonly confirmationHash: string;
  readonly ticket: TicketPayload;
  readonly custody: IdentityRecord['custody'];
  readonly operator: string;
  readonly controller: string;
  readonly gate: GateKind;
  readonly rootName: string;
  readonly holds: readonly FaultNote[];
  readonly stationSoftware: string;
  /** The reservation under which the keys were sent: its time, ISO 8601, and its SHA-256. */
  readonly beacon: { readonly at: string; readonly sha256: string };
  /** ISO 8601, of the backend. */
  readonly recordedAt: string;
}

export function buildRecord(from: RecordSources): IdentityRecord {
  const { confirmation: c, ticket } = from;
  return {
    schema: 'holdfast/identity-record-1',
    operation: c.operation,
    eid: c.eid,
    certificate: certificateOf(c, from.rootName),
    manufacturedAt: c.confirmedAt,
    productionLine: ticket.productionLine,
    keyInjection: {
      status: 'confirmed',
      confirmation: from.confirmationHash,
      transcriptHash: c.transcriptHash,
      proofs: { enc: c.proofs.enc, mac: c.proofs.mac, dek: c.proofs.dek },
      negativeControl: c.proofs.negativeControl,
      sequenceCounter: c.card.sequenceCounter,
      exchanges: c.exchanges,
    },
    keyMaterial: keyMaterialOf(c),
    custody: from.custody,
    batch: ticket.batch,
    product: ticket.product,
    ticket: ticket.ticket,
    ticketProfile: ticket.profile,
    station: c.station,
    nest: c.nest,
    gateController: from.controller,
    gate: from.gate,
    gateway: c.gateway,
    operator: from.operator,
    errors: from.holds.map(({ code, context }) => ({ code, context: { ...context } })),
    silicon: {
      seFingerprint: c.seFingerprint,
      atr: c.card.atr,
      objects: c.card.objects,
      identity: c.proofs.identity,
      lifeCycle: c.card.lifeCycle,
      model: notYet('the card profile does not name a model'),
      vendorCertificate: notYet('the card profile has no vendor certificate'),
      barcode: notYet('this station has no barcode scanner'),
    },
    place: {
      site: notYet('the ticket does not name a site'),
      jigFirmware: notYet('the gate controller does not report its firmware'),
      stationSoftware: from.stationSoftware,
      stationQuote: notYet('this station has no TPM quote'),
    },
    time: timeOf(from),
    lifeCycle: { state: 'RECORDED', epoch: c.epoch, predecessor: notYet('first record of this EID') },
    evidence: { witnessCosignatures: notYet('no independent witness is configured') },
  };
}

/** Between two statements of the backend: no station's clock, and no gateway's, is asked. Where that of one backend was
 * put back meanwhile the interval ends with its beginning. */
function timeOf({ beacon, recordedAt }: RecordSources): IdentityRecord['time'] {
  return {
    earliest: beacon.at,
    latest: recordedAt < beacon.at ? beacon.at : recordedAt,
    source: 'signed beacons of the backend',
    beacon: { statement: 'reservation', sha256: beacon.sha256 },
  };
}

function certificateOf({ certificate }: Confirmation, rootName: string): IdentityRecord['certificate'] {
  if ('absent' in certificate) return notYet(certificate.absent);
  return {
    serial: certificate.serial,
    sha256: certificate.sha256,
    der: certificate.der,
    issuer: certificate.issuer,
    issuingAuthority: rootName,
    issuerKeyId: certificate.issuerKeyId,
    profile: certificate.profile,
    publicKeyHash: certificate.publicKeyHash,
    proofOfPossession: 'request signed on the chip',
    revocationPoint: notYet(
      'the profile names no distribution point; revocation lists are one per intermediate',
    ),
  };
}

function keyMaterialOf({ keys, transport, token }: Confirmation): IdentityRecord['keyMaterial'] {
  return {
    scheme: keys.scheme,
    algorithm: keys.algorithm,
    generation: keys.generation,
    keyVersion: keys.keyVersion,
    checkValues: keys.checkValues,
    transportKeyVersion: transport.keyVersion,
    transportAlgorithm: transport.algorithm,
    transportScheme: transport.scheme,
    transportClass: transport.class,
    token: { softwareToken: token.softwareToken, module: token.module, serial: token.serial },
  };
}
