/** Keys, certificates and tickets of a simulated plant, all drawn from one seed. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { privateKeyFrom, publicKeyOf, signMessage } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import type { SimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import type { LogSigner } from '../../runtime/backend/ports.ts';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import type { TrustedKey } from '../../runtime/core/messages/envelope.ts';
import type { Order } from '../../runtime/core/messages/ticket.ts';
import { keyIdentifierOf } from '../../runtime/core/pki/algorithm.ts';
import { authorityToBeSigned } from '../../runtime/core/pki/authority.ts';
import { assembleCertificate } from '../../runtime/core/pki/certificate.ts';
import { documentationIdentifiers, serialFrom } from '../../runtime/core/pki/profile.ts';
import { FAR_DATE_MS } from '../../runtime/core/pki/time.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { type Officer, signedTicket } from './orders.ts';
import type { Supply } from './supply.ts';

export const ISSUER = 'line-1';
export const LOG_ORIGIN = 'simulation.holdfast.example/log';
export const GENERATION = 1;
export const FLEET_KEY_VERSION = 0x31;
const ED25519_PKCS8_PREFIX = '302e020100300506032b657004220420';

export const OFFICERS = ['officer-1', 'officer-2'];

export interface SimulatedParties {
  readonly gatewayKeys: Readonly<Record<string, Bytes>>;
  readonly transportMaster: Bytes;
  readonly fleetMaster: Bytes;
  /** For AES-256 card keys: one master for each length. */
  readonly longTransportMaster: Bytes;
  readonly longFleetMaster: Bytes;
  readonly issuerCertificate: Bytes;
  readonly backendSigner: Signer;
  readonly logSigner: LogSigner;
  readonly ticketAuthority: Signer;
  /** Who approve orders. */
  readonly officers: readonly Officer[];
  readonly trusted: readonly TrustedKey[];
  readonly stationSigners: readonly Signer[];
  readonly tagKeys: readonly Bytes[];
}

export function createParties(
  entropy: SimulatedEntropy,
  stations: readonly string[],
  nowMs: number,
  signer: (privateKey: Bytes) => Signer = createSoftwareSigner,
): SimulatedParties {
  const key = (): Bytes => privateKeyFrom(entropy.bytes(40));
  const gatewayKeys = { envelope: key(), confirmation: key(), [`issuer-${ISSUER}`]: key() };
  const backendSigner = signer(key());
  const ticketAuthority = signer(key());
  const stationSigners = stations.map(() => signer(key()));
  const trusted: TrustedKey[] = [
    { name: 'ticket-authority', role: 'ticket-authority', publicKey: ticketAuthority.publicKey },
    { name: 'backend-1', role: 'backend', publicKey: backendSigner.publicKey },
    { name: 'gateway-1', role: 'gateway', publicKey: publicKeyOf(gatewayKeys.envelope) },
    { name: 'gateway-1', role: 'gateway', publicKey: publicKeyOf(gatewayKeys.confirmation) },
    ...stations.map((name, i) => ({
      name,
      role: 'station' as const,
      publicKey: stationSigners[i]?.publicKey ?? new Uint8Array(0),
    })),
  ];
  const parties = {
    gatewayKeys,
    transportMaster: entropy.bytes(32),
    fleetMaster: entropy.bytes(32),
    issuerCertificate: caCertificate(
      gatewayKeys[`issuer-${ISSUER}`] ?? key(),
      serialFrom(entropy.bytes(16)),
      nowMs,
    ),
    backendSigner,
    logSigner: createLogSigner(entropy.bytes(32)),
    ticketAuthority,
    stationSigners,
    tagKeys: stations.map(() => entropy.bytes(16)),
    longTransportMaster: entropy.bytes(32),
    longFleetMaster: entropy.bytes(32),
  };
  const officers = OFFICERS.map((name) => ({ name, signer: signer(key()) }));
  for (const officer of officers)
    trusted.push({ name: officer.name, role: 'officer', publicKey: officer.signer.publicKey });
  return { ...parties, officers, trusted };
}

/** What a plant's ticket says; tests change some of it. */
export interface SimulatedOrder {
  readonly stations: readonly string[];
  readonly quota: number;
  readonly nowMs: number;
  readonly supply: Supply;
  readonly changes?: Partial<Order>;
}

/** One order for every station of the plant. */
export function simulatedOrder({ stations, quota, nowMs, supply, changes }: SimulatedOrder): Order {
  return {
    ticket: 'SIM-1',
    product: 'simulated unit',
    batch: 'SIM-BATCH-1',
    productionLine: 'Line-1',
    issuer: ISSUER,
    cardProfile: supply.cardProfile,
    eidRule: { from: '890490320000000000000000000000', to: '890490329999999999999999999999' },
    quota,
    unitsPerHour: 3_600_000,
    stations: [...stations],
    generation: GENERATION,
    keyVersion: FLEET_KEY_VERSION,
    profile: supply.ticketProfile,
    notBefore: instantOf(nowMs - 3_600_000),
    notAfter: instantOf(nowMs + 30 * 86_400_000),
    ...changes,
  };
}

/** Approved by both officers. */
export function simulatedTicket(parties: SimulatedParties, order: SimulatedOrder): Promise<string> {
  return signedTicket(simulatedOrder(order), parties, order.nowMs);
}

function createLogSigner(seed: Bytes): LogSigner {
  const privateKey = createPrivateKey({
    key: Buffer.concat([Buffer.from(ED25519_PKCS8_PREFIX, 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    key: { name: LOG_ORIGIN, publicKey: Buffer.from(x ?? '', 'base64url') },
    sign: (message) => sign(null, message, privateKey),
  };
}

/** An intermediate that has signed itself: nobody in the simulation asks for its root. */
function caCertificate(privateKey: Bytes, serial: Bytes, nowMs: number): Bytes {
  const publicKey = publicKeyOf(privateKey);
  const intent = {
    serial,
    commonName: `Simulated ${ISSUER}`,
    issuer: null,
    publicKey,
    keyIdentifier: keyIdentifierOf(publicKey, nodeCrypto),
    notBeforeMs: Math.floor(nowMs / 1000) * 1000 - TWENTY_YEARS_MS,
    notAfterMs: FAR_DATE_MS,
    pathLength: 0,
    scope: null,
    distributionPoint: null,
    identifiers: documentationIdentifiers,
  };
  const tbs = authorityToBeSigned(intent, 'es256');
  return assembleCertificate(tbs, signMessage(privateKey, tbs));
}

/** Clocks of simulated programs are wrong by years at times. */
const TWENTY_YEARS_MS = 20 * 365 * 86_400_000;
