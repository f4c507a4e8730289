/**
 * The identity record: what governs a unit for life. One schema for message, table and export. A field that
 * cannot be known yet says why; nothing is invented.
 */
import { z } from 'zod';
import { gateKinds } from '../gate/release.ts';
import {
  type Absent,
  absent,
  checkValues,
  eid,
  faultNote,
  generation,
  hash,
  hex,
  instant,
  keyVersion,
  nest,
  operationId,
  partyName,
} from '../messages/fields.ts';

const custodyStep = z.strictObject({
  holder: z.string().meta({ description: 'Program and name that held the issuance.' }),
  statement: z.string().meta({ description: 'Kind of signed statement by which it is held.' }),
  sha256: hash.meta({ description: 'Hash of that statement as signed.' }),
});

const certificate = z.strictObject({
  serial: hex,
  sha256: hash,
  der: z.base64(),
  issuer: partyName.meta({ description: 'Issuing intermediate.' }),
  issuingAuthority: z.string().meta({ description: 'Fleet root above it.' }),
  issuerKeyId: hex,
  profile: z.string(),
  publicKeyHash: hash,
  proofOfPossession: z.literal('request signed on the chip'),
  revocationPoint: absent,
});

export const identityRecord = z.strictObject({
  schema: z.literal('holdfast/identity-record-1'),
  operation: operationId,
  eid,
  certificate: z.union([certificate, absent]),
  manufacturedAt: instant.meta({ description: 'By the gateway’s clock, at confirmation.' }),
  productionLine: z.string(),
  keyInjection: z.strictObject({
    status: z.literal('confirmed'),
    confirmation: hash,
    transcriptHash: hash,
    proofs: z.record(z.string(), z.string()),
    negativeControl: z.string(),
    sequenceCounter: z.int().nullable(),
    exchanges: z.int(),
  }),
  keyMaterial: z.strictObject({
    scheme: z.string(),
    algorithm: z.string(),
    generation,
    keyVersion,
    checkValues,
    transportKeyVersion: keyVersion,
    transportAlgorithm: z.string(),
    transportScheme: z.string(),
    transportClass: z.string().meta({ description: 'Who else knew the keys that the chip came with.' }),
    token: z.strictObject({ softwareToken: z.boolean(), module: z.string(), serial: z.string() }),
  }),
  custody: z.array(custodyStep).min(3),
  batch: z.string(),
  product: z.string(),
  ticket: z.string(),
  ticketProfile: z.string(),
  station: partyName,
  nest,
  gateController: z.string(),
  gate: z.enum(gateKinds).meta({
    description: 'Kind of that gate. A resume elsewhere is in the log: the leaf of its confirmation.',
  }),
  gateway: partyName,
  operator: z.string().min(1).meta({ description: 'Operator or named authority; never blank.' }),
  errors: z.array(faultNote).meta({ description: 'Holds of this operation before the record.' }),
  silicon: z.strictObject({
    seFingerprint: hash,
    atr: hex,
    objects: z.record(z.string(), hex),
    identity: z
      .string()
      .meta({ description: 'Whether EID and objects were read inside the secure channel.' }),
    lifeCycle: z.int(),
    model: absent,
    vendorCertificate: absent,
    barcode: absent,
  }),
  place: z.strictObject({
    site: absent,
    jigFirmware: absent,
    stationSoftware: z.string(),
    stationQuote: absent,
  }),
  time: z.strictObject({
    earliest: instant,
    latest: instant,
    source: z.enum(['gateway and backend clocks', 'signed beacons of the backend']),
    beacon: z.union([
      z.strictObject({
        statement: z
          .literal('reservation')
          .meta({ description: 'Given to the station before any key was sent.' }),
        sha256: hash,
      }),
      absent,
    ]),
  }),
  lifeCycle: z.strictObject({ state: z.literal('RECORDED'), epoch: z.int(), predecessor: absent }),
  evidence: z.strictObject({ witnessCosignatures: absent }),
});
export type IdentityRecord = z.output<typeof identityRecord>;

export const notYet = (why: string): Absent => ({ absent: why });
