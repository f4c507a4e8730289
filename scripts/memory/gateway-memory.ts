/** A real gateway with its token, ledger and broker, and units played to it as fast as it takes them. */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCertificateOffice } from '../../drivers/certificates/authority.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { accessList } from '../../runtime/core/messages/catalogue.ts';
import { authorityIn, busParty } from '../laboratory/certificates.ts';
import { instructionSocketsIn, writeConfigurations } from '../laboratory/configurations.ts';
import { p256KeyFile } from '../laboratory/keys.ts';
import { type Laboratory, PLANT, setUpLaboratory, writeTicket } from '../laboratory/laboratory.ts';
import { ourProgram } from '../laboratory/line.ts';
import { type LinePlaces, linePlaces } from '../laboratory/places.ts';
import { partiesOf } from '../laboratory/services.ts';
import { startMosquitto } from '../stand/mosquitto.ts';
import { startPostgres } from '../stand/postgres.ts';
import { openBareStation } from './bare-station.ts';

export interface MemoryOptions {
  readonly directory: string;
  readonly units: number;
  /** Units between two looks. */
  readonly every: number;
  /** Growth after which the token's process is replaced. */
  readonly recycleGrowthMiB: number;
  readonly onWeighing: (weighing: Weighing) => void;
}

/** What was found after so many units. */
export interface Weighing {
  readonly units: number;
  /** Resident memory of the gateway's process. */
  readonly gatewayMiB: number;
  /** Resident memory of its token's processes, all that there are at that moment. */
  readonly tokenMiB: number;
  /** How many token processes there have been. */
  readonly tokenProcesses: number;
  /** Since the last look. */
  readonly perSecond: number;
}

/** Units under way at a time: as many nests. */
const NESTS = 4;

export async function measureMemory(options: MemoryOptions): Promise<readonly Weighing[]> {
  const places = linePlaces(options.directory);
  const laboratory = await setUpLaboratory(places, 1);
  const identity = await bareIdentity(places);
  const started: (() => Promise<void>)[] = [];
  try {
    const postgres = await startPostgres({ directory: places.postgres, databases: ['ledger'] });
    started.push(() => postgres.stop());
    const acl = accessList(partiesOf(laboratory), PLANT);
    const broker = await startMosquitto({ directory: places.broker, certificates: laboratory.broker, acl });
    started.push(() => broker.stop());
    const socket = encodeURIComponent(postgres.socketDirectory);
    const ledgerUrl = `postgresql:///ledger?host=${socket}&port=${postgres.port}&user=${postgres.user}`;
    const config = gatewayFile(laboratory, identity.envelope, options, {
      brokerPort: broker.port,
      ledgerUrl,
    });
    const gateway = await ourProgram(places, 'gateway', config);
    started.push(() => gateway.stop());
    await writeTicket(places, [places.station(1)], { run: 1, units: options.units, nowMs: Date.now() });
    await using station = await openBareStation({
      laboratory,
      broker,
      ticket: readFileSync(places.station(1).ticket, 'utf8'),
      vendorMaster: Buffer.from(readFileSync(join(places.vendor, 'transport-master'), 'utf8'), 'hex'),
      ...identity,
    });
    return await weighed(options, gateway.child.pid ?? 0, (unit) =>
      station.personalize(unit, `n${unit % NESTS}`),
    );
  } finally {
    for (const stop of started.reverse()) await stop();
  }
}

async function weighed(
  { units, every, onWeighing }: MemoryOptions,
  gateway: number,
  personalize: (unit: number) => Promise<void>,
): Promise<readonly Weighing[]> {
  const report: Weighing[] = [];
  const tokens = new Set<number>();
  let done = 0;
  let next = 0;
  let since = performance.now();
  const look = (): void => {
    const children = childrenOf(gateway);
    for (const child of children) tokens.add(child);
    const weighing = {
      units: done,
      gatewayMiB: residentMiB(gateway),
      tokenMiB: children.reduce((sum, child) => sum + residentMiB(child), 0),
      tokenProcesses: tokens.size,
      perSecond: (every * 1000) / (performance.now() - since),
    };
    since = performance.now();
    report.push(weighing);
    onWeighing(weighing);
  };
  const nest = async (first: number): Promise<void> => {
    for (let unit = first; unit <= units; unit += NESTS) {
      await personalize(unit);
      done += 1;
      if (done % every === 0) look();
    }
  };
  await Promise.all(Array.from({ length: NESTS }, () => nest(++next)));
  return report;
}

/** Keys of a station without a token: its bus key and its envelope key are files. */
async function bareIdentity(places: LinePlaces) {
  const office = await openCertificateOffice();
  const authority = await authorityIn(office, places.pki, 'bus-ca', 'Laboratory bus', 0);
  const bus = await busParty(office, authority, places, 'station-1', places.vendor);
  const envelope = await openFileSigner(p256KeyFile(join(places.vendor, 'envelope.key')));
  return { bus, envelope };
}

function gatewayFile(
  laboratory: Laboratory,
  envelope: { readonly publicKey: Uint8Array },
  { recycleGrowthMiB }: MemoryOptions,
  found: { readonly brokerPort: number; readonly ledgerUrl: string },
): string {
  const none = randomUUID();
  const { gateway: file } = writeConfigurations(laboratory, {
    ...found,
    fleetUrl: 'postgresql:///none',
    pcscSocket: none,
    readerNames: [none],
    serialPorts: [none],
    journalSockets: [none],
    instructionSockets: instructionSocketsIn(laboratory.places.root),
  });
  const settings = JSON.parse(readFileSync(file, 'utf8'));
  settings.token.recycleGrowthMiB = recycleGrowthMiB;
  settings.trusted.push({ name: 'station-1', role: 'station', publicKey: toHex(envelope.publicKey) });
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 });
  return file;
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

function residentMiB(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}
