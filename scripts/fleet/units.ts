/** Synthetic units: what a plant of some stations, gateways and orders would have made, each a function of its number. */
import { createHash } from 'node:crypto';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import type { Confirmation } from '../../runtime/core/messages/receipts.ts';
import type { TicketPayload } from '../../runtime/core/messages/ticket.ts';
import { uuidV7 } from '../../runtime/core/uuid.ts';

export const START_MS = Date.parse('2026-11-01T00:00:00.000Z');
/** Whatever the number of units, they were made in three days. */
export const SPAN_MS = 3 * 86_400_000;
export const TICKETS = 10;
const STATIONS = 40;
const GATEWAYS = 3;
const OPERATORS = 8;
/** The last one is small, and falls. */
export const INTERMEDIATES = ['line-1', 'line-2', 'line-3', 'line-small'] as const;
const PROGRAMS = ['holdfast 0.1.0', 'holdfast 0.1.1', 'holdfast 0.2.0'];
const FLEET_KEY_VERSION = 0x31;

export interface Unit {
  readonly eid: string;
  readonly operation: string;
  readonly atMs: number;
  readonly operator: string;
  readonly software: string;
  readonly ticket: TicketPayload;
  readonly confirmation: Confirmation;
  /** One in a hundred is rejected after keys were sent; one in two hundred has been moved from another station. */
  readonly fate: 'good' | 'rejected' | 'moved';
}

export function unitOf(index: number, of: number): Unit {
  const drawn = (salt: string, below: number): number =>
    parseInt(hashOf(`${salt} ${index}`).slice(0, 8), 16) % below;
  const atMs = START_MS + Math.floor((index * SPAN_MS) / of);
  const lot = drawn('fate', 1000);
  const ticket = ticketOf(Math.min(TICKETS - 1, Math.floor((index * TICKETS) / of)), of);
  const station = `station-${1 + (index % STATIONS)}`;
  return {
    eid: eidOfIndex(index),
    operation: uuidV7(atMs, Buffer.from(hashOf(`operation ${index}`).slice(0, 20), 'hex')),
    atMs,
    operator: `shift-${1 + (Math.floor((atMs - START_MS) / 28_800_000) % 3)}-${1 + drawn('operator', OPERATORS)}`,
    software: PROGRAMS[Math.floor(((atMs - START_MS) * PROGRAMS.length) / SPAN_MS)] ?? 'holdfast 0.2.0',
    ticket,
    confirmation: confirmationOf(index, {
      ticket,
      station,
      atMs,
      gateway: drawn('gateway', GATEWAYS),
      small: lot > 994,
    }),
    fate: lot < 10 ? 'rejected' : lot < 15 ? 'moved' : 'good',
  };
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function ticketOf(number: number, of: number): TicketPayload {
  return {
    ticket: `T-${number}`,
    product: 'synthetic unit',
    batch: `B-${number}`,
    productionLine: `Line-${1 + (number % 4)}`,
    issuer: INTERMEDIATES[number % 3] ?? 'line-1',
    cardProfile: 'synthetic',
    eidRule: { from: eidOfIndex(0).slice(0, 30), to: eidOfIndex(of).slice(0, 30) },
    quota: of,
    unitsPerHour: 3_600_000,
    stations: Array.from({ length: STATIONS }, (_, i) => `station-${i + 1}`),
    generation: 1 + Math.floor((number * 3) / TICKETS),
    keyVersion: FLEET_KEY_VERSION,
    profile: 'pilot',
    notBefore: instantOf(START_MS),
    notAfter: instantOf(START_MS + SPAN_MS),
    signedAt: instantOf(START_MS),
    approvals: [],
  };
}

interface Made {
  readonly ticket: TicketPayload;
  readonly station: string;
  readonly atMs: number;
  readonly gateway: number;
  readonly small: boolean;
}

/** As long as a certificate of P-256 with its extensions. */
const CERTIFICATE_BYTES = 620;

function confirmationOf(index: number, { ticket, station, atMs, gateway, small }: Made): Confirmation {
  const hash = (of: string): string => hashOf(`${of} ${index}`);
  const issuer = small ? INTERMEDIATES[3] : ticket.issuer;
  const checkValue = (of: string): string => hash(of).slice(0, 6);
  return {
    operation: uuidV7(atMs, Buffer.from(hashOf(`operation ${index}`).slice(0, 20), 'hex')),
    epoch: 1,
    station,
    nest: 'a',
    eid: eidOfIndex(index),
    seFingerprint: hash('chip'),
    ticket: ticket.ticket,
    gateway: `gateway-${1 + gateway}`,
    keys: {
      scheme: 'eid-kdf-1',
      algorithm: 'aes-128',
      generation: ticket.generation,
      keyVersion: ticket.keyVersion,
      checkValues: [checkValue('enc'), checkValue('mac'), checkValue('dek')],
    },
    transport: {
      keyVersion: 0x30,
      algorithm: 'aes-128',
      scheme: 'eid-kdf-1',
      class: 'diversified',
      deleted: true,
    },
    proofs: {
      mac: 'cryptogram',
      enc: 'encrypted-round-trip',
      challengeRecomputed: true,
      dek: 'scratch-set',
      negativeControl: 'absent-from-template',
      identity: 'under-mac',
    },
    card: {
      atr: '3b9f96801fc78031a073be21136743200718000001a5',
      objects: {
        '9f7f': hash('cplc').padEnd(90, '0'),
        '42': hash('iin').slice(0, 16),
        '45': hash('cin').slice(0, 20),
      },
      keyVersions: [ticket.keyVersion],
      lifeCycle: 0x0f,
      sequenceCounter: 7,
    },
    certificate: {
      der: Buffer.from(hash('der').repeat(20), 'latin1').subarray(0, CERTIFICATE_BYTES).toString('base64'),
      sha256: hash('certificate'),
      serial: hash('serial').slice(0, 32),
      issuer,
      issuerKeyId: hashOf(issuer).slice(0, 40),
      profile: 'idevid',
      publicKeyHash: hash('key'),
      batch: ticket.batch,
      notBefore: instantOf(atMs),
    },
    transcriptHash: hash('transcript'),
    judgedHash: hash('judged'),
    exchanges: 64,
    token: { softwareToken: true, module: 'synthetic', label: 'synthetic', serial: '0' },
    confirmedAt: instantOf(atMs),
  };
}
