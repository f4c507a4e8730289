/** Certificates that run out, a broker that reads its configuration anew, and a station whose clock steps. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCertificateOffice } from '../../../drivers/certificates/authority.ts';
import { authorityIn, certificateFor } from '../../laboratory/certificates.ts';
import { last, type Nemesis, NotStruck } from '../nemesis.ts';
import { ended, lives, signal, until } from '../processes.ts';
import type { ChaosStand } from '../stand.ts';

const SHORT_MS = 4_000;
const GONE_MS = 5_000;

const certificateExpiry: Nemesis = {
  kind: 'certificate-expiry',
  on: ['station', 'mosquitto'],
  mayEnd: ['station', 'mosquitto'],
  expects:
    'works until the connection is lost, then holds; released once certificate and station are renewed',
  strike: async (stand) => {
    const { parts } = stand;
    const until_ = performance.now() + SHORT_MS;
    await certify(stand, SHORT_MS);
    await restarted(stand);
    await sleep(Math.max(0, until_ - performance.now()) + 1_000);
    const broker = parts.mosquitto.pid();
    parts.mosquitto.kill();
    await ended([broker], GONE_MS);
    await parts.mosquitto.ready();
    await sleep(1_000);
    await certify(stand);
    await restarted(stand);
  },
};

/** @param validityMs as long as all others when absent */
async function certify({ laboratory, places, station }: ChaosStand, validityMs?: number): Promise<void> {
  const office = await openCertificateOffice();
  const authority = await authorityIn(office, places.pki, 'bus-ca', 'Laboratory bus', 0);
  const publicKey = laboratory.stations[0]?.token.tlsPublicKey ?? new Uint8Array(0);
  rmSync(station.certificate);
  const party = { commonName: station.name, publicKey, role: 'client' } as const;
  await certificateFor(office, authority, station.certificate, party, validityMs);
}

/** The station ends in order and is at work again. */
async function restarted({ parts }: ChaosStand): Promise<void> {
  const ends = parts.station.ends();
  await parts.station.ready();
  await parts.station.restart();
  if (!(await until(() => parts.station.ends() > ends, GONE_MS)))
    throw new NotStruck('the station did not end');
  await parts.station.ready();
}

const brokerReload: Nemesis = {
  kind: 'broker-reload',
  on: ['mosquitto'],
  mayEnd: [],
  expects: 'nobody notices',
  strike: async ({ parts }) => {
    const pid = parts.mosquitto.pid();
    if (!signal(pid, 'SIGHUP') || !lives(pid)) throw new NotStruck('the broker was not there');
  },
};

const STEPS = ['-1h', '+1h', '-300d', '+3650d'] as const;

const clockStep: Nemesis = {
  kind: 'clock-step',
  on: ['station'],
  mayEnd: ['station'],
  expects: 'units go on; at most held while a certificate or ticket is not valid at that time',
  impossible: () => (fakeTime() === null ? 'libfaketime is not installed' : null),
  strike: async (stand, draw) => {
    const file = join(stand.places.root, 'clock');
    const step = STEPS[Math.floor(draw.fraction() * STEPS.length)] ?? STEPS[0];
    writeFileSync(file, '+0');
    Object.assign(stand.stationEnvironment, {
      LD_PRELOAD: fakeTime() ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    });
    try {
      await restarted(stand);
      writeFileSync(file, step);
      await sleep(1_000);
      await last(draw);
    } finally {
      for (const name of Object.keys(stand.stationEnvironment)) delete stand.stationEnvironment[name];
    }
    writeFileSync(file, '+0');
    await sleep(1_000);
    await restarted(stand);
  },
};

/** The library, by Debian's place for it; null where it is not installed. */
function fakeTime(): string | null {
  for (const triplet of readdirSync('/usr/lib').filter((name) => name.includes('-linux-gnu'))) {
    const parts = readdirSync(join('/usr/lib', triplet));
    if (parts.includes('faketime')) return join('/usr/lib', triplet, 'faketime', 'libfaketimeMT.so.1');
  }
  return null;
}

export const trustNemeses: readonly Nemesis[] = [certificateExpiry, brokerReload, clockStep];
