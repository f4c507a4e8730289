/**
 * Sets up a laboratory line in a directory: keys, tokens, certificates, tickets, configurations. What is there
 * already is kept. In a factory the ceremony and the security officer do this.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCertificateOffice } from '../../drivers/certificates/authority.ts';
import { provisionJournal } from '../../drivers/journal/leveldb.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import {
  createStationToken,
  type GatewayToken,
  type StationToken,
} from '../../drivers/token/pkcs11/provision.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { scp03KeyVersions } from '../../runtime/core/card/eid-kdf.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import type { Role } from '../../runtime/core/messages/envelope.ts';
import { type Officer, signedTicket } from '../simulation/orders.ts';
import { gatewayTokenOf } from './ceremony.ts';
import { authorityIn, type BusIdentity, busParty, certificateFor } from './certificates.ts';
import { ed25519KeyFile, p256KeyFile, secretFile } from './keys.ts';
import type { LinePlaces, StationPlaces } from './places.ts';
import { certifyLaboratory, OFFICERS, officerKey } from './root.ts';

const profile = cardProfiles['holdfast-virtual'];

/** The fleet's key version in this laboratory. */
const FLEET_KEY_VERSION = 0x31;
const GENERATION = 1;
export const PLANT = { enterprise: 'Laboratory', site: 'Laptop', area: 'Bench', line: 'Line-1' };
export const ISSUER = 'line-1';
export const AUTHORITY = 'unattended under authority of the laboratory';
export const LOG_ORIGIN = 'laboratory.holdfast.example/log';

export interface LaboratoryStation {
  readonly station: StationPlaces;
  readonly token: StationToken;
  readonly bus: BusIdentity;
}

export interface Laboratory {
  readonly places: LinePlaces;
  readonly stations: readonly LaboratoryStation[];
  readonly gateway: { readonly token: GatewayToken; readonly bus: BusIdentity };
  /** Every gateway of the one token, the first among them, by name. */
  readonly gateways: Readonly<Record<string, BusIdentity>>;
  readonly backend: {
    readonly receiptKeyFile: string;
    readonly logKeyFile: string;
    readonly bus: BusIdentity;
  };
  /** A reader of status, as an MES is. */
  readonly subscriber: BusIdentity;
  readonly broker: { readonly authority: string; readonly certificate: string; readonly key: string };
  readonly rootCertificate: string;
  readonly issuerCertificate: string;
  readonly trusted: readonly Party[];
  readonly logKey: { readonly name: string; readonly publicKey: string };
}

export interface Party {
  readonly name: string;
  readonly role: Role;
  readonly publicKey: string;
}

export async function setUpLaboratory(
  places: LinePlaces,
  stationCount: number,
  gatewayCount = 1,
): Promise<Laboratory> {
  const office = await openCertificateOffice();
  const stations = Array.from({ length: stationCount }, (_, i) => places.station(i + 1));
  const [gatewayToken, stationTokens] = await Promise.all([
    makeGatewayToken(places),
    Promise.all(stations.map((station) => makeStationToken(station))),
  ]);
  const certified = await certifyLaboratory(places, {
    name: ISSUER,
    commonName: `Laboratory ${ISSUER}`,
    publicKey: gatewayToken.publicKeys[`issuer-${ISSUER}`] ?? new Uint8Array(0),
  });
  const busAuthority = await authorityIn(office, places.pki, 'bus-ca', 'Laboratory bus', 0);
  const receiptKeyFile = p256KeyFile(join(places.backend, 'receipts.key'));
  const logKey = { name: LOG_ORIGIN, publicKey: ed25519KeyFile(join(places.backend, 'log.key')) };

  const party = (name: string, directory: string): Promise<BusIdentity> =>
    busParty(office, busAuthority, places, name, directory);
  const brokerKey = p256KeyFile(join(places.broker, 'server.key'));
  const brokerCertificate = await certificateFor(office, busAuthority, join(places.broker, 'server.pem'), {
    commonName: 'broker',
    publicKey: (await openFileSigner(brokerKey)).publicKey,
    role: 'server',
    dns: ['broker'],
    ip: ['127.0.0.1'],
  });
  const identities: LaboratoryStation[] = [];
  for (const [i, station] of stations.entries()) {
    const token = stationTokens[i];
    if (token === undefined) continue;
    const { certificate } = station;
    await certificateFor(office, busAuthority, certificate, {
      commonName: station.name,
      publicKey: token.tlsPublicKey,
      role: 'client',
    });
    await makeJournal(station);
    copySecret(station, places, i + 1);
    const ca = join(places.pki, 'bus-ca.pem');
    identities.push({ station, token, bus: { ca, certificate, key: { pkcs11: token.tlsKeyUri } } });
  }
  const gatewayBus = await party('gateway-1', places.gateway);
  const gateways: Record<string, BusIdentity> = { 'gateway-1': gatewayBus };
  for (let i = 2; i <= gatewayCount; i++)
    gateways[`gateway-${i}`] = await party(`gateway-${i}`, places.gateway);
  return {
    places,
    stations: identities,
    gateway: { token: gatewayToken, bus: gatewayBus },
    gateways,
    backend: {
      receiptKeyFile,
      logKeyFile: join(places.backend, 'log.key'),
      bus: await party('backend-1', places.backend),
    },
    subscriber: await party('mes-1', places.pki),
    broker: { authority: join(places.pki, 'bus-ca.pem'), certificate: brokerCertificate, key: brokerKey },
    rootCertificate: certified.root,
    issuerCertificate: certified.issuer,
    trusted: await trustedParties(places, receiptKeyFile, gatewayToken, identities),
    logKey,
  };
}

/** Whose signatures the programs of this line believe. */
async function trustedParties(
  places: LinePlaces,
  receiptKeyFile: string,
  gatewayToken: GatewayToken,
  stations: readonly LaboratoryStation[],
): Promise<readonly Party[]> {
  const ticketAuthority = await openFileSigner(p256KeyFile(join(places.pki, 'ticket-authority.key')));
  const backend = await openFileSigner(receiptKeyFile);
  return [
    { name: 'ticket-authority', role: 'ticket-authority', publicKey: toHex(ticketAuthority.publicKey) },
    { name: 'backend-1', role: 'backend', publicKey: toHex(backend.publicKey) },
    ...(await officersOf(places)).map(
      ({ name, signer }): Party => ({ name, role: 'officer', publicKey: toHex(signer.publicKey) }),
    ),
    ...(['envelope', 'confirmation'] as const).map(
      (key): Party => ({
        name: 'gateway-1',
        role: 'gateway',
        publicKey: toHex(gatewayToken.publicKeys[key] ?? new Uint8Array(0)),
      }),
    ),
    ...stations.map(
      ({ station, token }): Party => ({
        name: station.name,
        role: 'station',
        publicKey: toHex(token.envelopePublicKey),
      }),
    ),
  ];
}

export const controllerOf = (index: number): string => `gate-${index}`;

/** In a laboratory the officers' keys are files; whoever has the laptop is both. */
function officersOf(places: LinePlaces): Promise<readonly Officer[]> {
  return Promise.all(
    OFFICERS.map(async (name) => ({
      name,
      signer: await officerKey(places, name),
    })),
  );
}

/** One ticket for the units of this run, approved by both officers, signed, and given to every station. */
export async function writeTicket(
  places: LinePlaces,
  stations: readonly StationPlaces[],
  order: { readonly run: number; readonly units: number; readonly nowMs: number },
): Promise<string> {
  const ticket = `LAB-${order.run}`;
  const ticketAuthority = await openFileSigner(join(places.pki, 'ticket-authority.key'));
  const jws = await signedTicket(
    {
      ticket,
      product: 'laboratory unit',
      batch: `LAB-BATCH-${order.run}`,
      productionLine: PLANT.line,
      issuer: ISSUER,
      cardProfile: profile.name,
      eidRule: { prefix: '89049032' },
      quota: order.units,
      unitsPerHour: 3_600_000,
      stations: stations.map((station) => station.name),
      generation: GENERATION,
      keyVersion: FLEET_KEY_VERSION,
      profile: 'laboratory',
      notBefore: new Date(order.nowMs - 3_600_000).toISOString(),
      notAfter: new Date(order.nowMs + 7 * 86_400_000).toISOString(),
    },
    { officers: await officersOf(places), ticketAuthority },
    order.nowMs,
  );
  for (const station of stations) writeFileSync(station.ticket, jws, { mode: 0o600 });
  return ticket;
}

/** Masters of the vendor and of the fleet, each for either length of card keys. */
function makeGatewayToken(places: LinePlaces): Promise<GatewayToken> {
  const imported = ['transport-master', 'transport-master-aes-256'];
  const generated = [`mdk-${GENERATION}`, `mdk-${GENERATION}-aes-256`];
  return gatewayTokenOf(places, {
    imported,
    generated,
    signing: ['envelope', 'confirmation', `issuer-${ISSUER}`],
    keyVersions: Object.fromEntries([
      ...imported.map((master) => [master, [profile.transportKeyVersion]]),
      ...generated.map((master) => [master, scp03KeyVersions]),
    ]),
  });
}

function makeStationToken(station: StationPlaces): Promise<StationToken> {
  return createStationToken({
    directory: join(station.directory, 'token'),
    label: station.name,
    station: station.name,
  });
}

/** A laptop's disk is its owner's: a line takes little of it. */
export const LABORATORY_ROOM = { freeBytesMin: 4 * 1024 * 1024, ballastBytes: 1024 * 1024 } as const;

async function makeJournal(station: StationPlaces): Promise<void> {
  if (existsSync(join(station.journal, 'store'))) return;
  const created = new Date().toISOString();
  const genesis = { journal: randomUUID(), station: station.name, created };
  await provisionJournal(station.journal, genesis, LABORATORY_ROOM);
}

/** The tag key: one copy for the board, one for the backend, none for the station. */
function copySecret(station: StationPlaces, places: LinePlaces, index: number): void {
  const key = secretFile(station.tagKey, 16);
  writeFileSync(join(places.backend, `${controllerOf(index)}.key`), key.toString('hex'), { mode: 0o600 });
}
