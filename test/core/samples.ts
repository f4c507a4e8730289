/** Keys, a ticket and the receipts of one good unit, each from a seed; tests change one thing at a time. */
import type { z } from 'zod';
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { type Bytes, fromText, toHex } from '../../runtime/core/bytes.ts';
import type { Json } from '../../runtime/core/canonical-json.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import { withCheckDigits } from '../../runtime/core/eid.ts';
import type { ControllerReport } from '../../runtime/core/gate/release.ts';
import { type TaggedRelease, tagRelease } from '../../runtime/core/gate/tag.ts';
import { type LeafKind, leafOf } from '../../runtime/core/log/leaf.ts';
import { hashOf, type Role, seal, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import {
  confirmation,
  type confirmationPayload,
  type registrationPayload,
  type rejectionPayload,
  type reservationPayload,
} from '../../runtime/core/messages/receipts.ts';
import type { TicketPayload } from '../../runtime/core/messages/ticket.ts';
import type { CardIdentity } from '../../runtime/core/operation/facts.ts';
import type { Judgement } from '../../runtime/core/operation/receipt-judge.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { knownCheckpoint, logKeys, shownInLog } from './log-samples.ts';

const entropy = createSimulatedEntropy('core tests');
const signer = (): Signer => createSoftwareSigner(privateKeyFrom(entropy.bytes(40)));

export const signers = {
  station: signer(),
  gateway: signer(),
  backend: signer(),
  'ticket-authority': signer(),
  officer: signer(),
} as const satisfies Record<Role, Signer>;
export const stranger: Signer = signer();

export const STATION = 'station-1';
export const names = {
  station: STATION,
  gateway: 'gateway-1',
  backend: 'backend-1',
  'ticket-authority': 'ticket-authority',
  officer: 'officer-1',
} as const;

export const trusted: readonly TrustedKey[] = (Object.keys(signers) as Role[]).map((role) => ({
  name: names[role],
  role,
  publicKey: signers[role].publicKey,
}));

export const OPERATION = '01890000-0000-7000-8000-000000000001';
export const OTHER_OPERATION = '01890000-0000-7000-8000-000000000002';
export const VISIT = '01890000-0000-7000-8000-0000000000aa';
export const EID = withCheckDigits('890490320000000000000000000001');
export const OTHER_EID = withCheckDigits('890490320000000000000000000002');
export const hashOfText = (text: string): string => toHex(nodeCrypto.sha256(fromText(text)));
export const AT = '2026-11-22T12:00:00.000Z';
export const ARRIVAL = 41;
export const TAG_KEY: Bytes = entropy.bytes(16);

export const identity: CardIdentity = {
  eid: EID,
  seFingerprint: hashOfText('this chip'),
  atr: '3b00',
  keyVersions: [0x30],
};

export const ticket: TicketPayload = {
  ticket: 'T-1',
  product: 'unit',
  batch: 'B-1',
  productionLine: 'Line-1',
  issuer: 'line-1',
  cardProfile: 'holdfast-virtual',
  eidRule: { from: '890490320000000000000000000000', to: '890490329999999999999999999999' },
  quota: 10,
  unitsPerHour: 600,
  stations: [STATION],
  generation: 1,
  keyVersion: 0x31,
  profile: 'laboratory',
  notBefore: '2026-11-22T00:00:00Z',
  notAfter: '2026-11-23T00:00:00Z',
  signedAt: '2026-11-22T00:00:00Z',
  approvals: [],
};

const unit = {
  operation: OPERATION,
  epoch: 2,
  station: STATION,
  nest: 'a',
  eid: EID,
  seFingerprint: identity.seFingerprint,
};

export const reserved: z.input<typeof reservationPayload> = {
  ...unit,
  ticket: ticket.ticket,
  ticketHash: hashOfText('ticket'),
  attempt: '3f1c9a52-0000-4000-8000-000000000001',
  generation: 1,
  keyVersion: 0x31,
  appearance: 'resume',
  reservedAt: AT,
};

export const confirmed: z.input<typeof confirmationPayload> = {
  ...unit,
  ticket: ticket.ticket,
  gateway: names.gateway,
  keys: {
    scheme: 'eid-kdf-1',
    algorithm: 'aes-128',
    generation: 1,
    keyVersion: 0x31,
    checkValues: ['0a0b0c', '1a1b1c', '2a2b2c'],
  },
  transport: {
    keyVersion: 0x30,
    algorithm: 'aes-128',
    scheme: 'eid-kdf-1',
    class: 'diversified',
    deleted: true,
  },
  proofs: {
    enc: 'encrypted-round-trip',
    mac: 'cryptogram',
    challengeRecomputed: true,
    dek: 'scratch-set',
    negativeControl: 'absent-from-template',
    identity: 'under-mac',
  },
  card: { atr: '3b00', objects: { '9F7F': '00' }, keyVersions: [0x31], lifeCycle: 0x0f, sequenceCounter: 3 },
  certificate: {
    der: 'MAA=',
    sha256: hashOfText('certificate'),
    serial: '0102',
    issuer: 'line-1',
    issuerKeyId: 'aabb',
    profile: 'idevid-batch',
    publicKeyHash: hashOfText('public key'),
    batch: 'B-1',
    notBefore: AT,
  },
  transcriptHash: hashOfText('transcript'),
  judgedHash: hashOfText('judged'),
  exchanges: 40,
  token: { softwareToken: true, module: 'softhsm', label: 'gateway', serial: '01' },
  confirmedAt: AT,
};

export const release: TaggedRelease = tagRelease(
  {
    controller: 'gate-1',
    nest: 'a',
    lane: 'good',
    operation: OPERATION,
    epoch: 2,
    arrival: ARRIVAL,
    counter: 7,
  },
  TAG_KEY,
  nodeCrypto,
);

export const report: Omit<ControllerReport, 'mac'> = {
  kind: 'arrived',
  reason: 'none',
  controller: 'gate-1',
  nest: 'a',
  arrival: ARRIVAL,
  gate: 'closed',
  obeyed: 6,
  left: { arrival: 40, counter: 6, lane: 'good' },
};

/** Of the confirmation as the gateway signs it: these keys give the same signature each time. */
export const confirmationHash = hashOf(
  await seal(confirmation, confirmed, signers.gateway, nodeCrypto),
  nodeCrypto,
);

/** The leaf of the registration as it stands in the log, with one thing changed where a test wants it. */
export function registrationEntry(changes: LeafChanges = {}, kind: LeafKind = 'registration'): Bytes {
  const body = {
    operation: OPERATION,
    epoch: unit.epoch,
    eid: EID,
    recordHash: hashOfText('record'),
    confirmationHash,
    station: STATION,
  };
  return leafOf(kind, `record/${OPERATION}`, AT, { ...body, ...changes }).entry;
}

/** The leaf of the reject receipt, likewise. */
export function rejectionEntry(changes: LeafChanges = {}, kind: LeafKind = 'rejection'): Bytes {
  const body = { visit: VISIT, operation: OPERATION, eid: EID, station: STATION };
  return leafOf(kind, `rejection/${VISIT}`, AT, { ...body, ...changes }).entry;
}

export type LeafChanges = Readonly<Record<string, Json>>;

export const registered: z.input<typeof registrationPayload> = {
  ...unit,
  transcriptHash: confirmed.transcriptHash,
  recordHash: hashOfText('record'),
  ...shownInLog(registrationEntry()),
  release,
  registeredAt: AT,
};

export const rejected: z.input<typeof rejectionPayload> = {
  station: STATION,
  nest: 'a',
  visit: VISIT,
  operation: OPERATION,
  eid: EID,
  fault: { code: 'CARD_KEYS_NOT_PROVED', context: {} },
  ...shownInLog(rejectionEntry()),
  release: { ...release, lane: 'reject' },
  registeredAt: AT,
};

/** What the station of these samples knows by itself. */
export const judgement: Judgement = {
  station: STATION,
  nest: 'a',
  controller: 'gate-1',
  cardProfile: cardProfiles['holdfast-virtual'],
  gate: 'controller',
  trusted,
  logKey: logKeys.key,
  crypto: nodeCrypto,
  known: knownCheckpoint,
};
