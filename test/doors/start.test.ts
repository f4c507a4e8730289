/** The doors that are closed at the start: each program says what is wrong, why and what to do, and ends. */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FaultCode } from '../../runtime/core/faults.ts';
import {
  type Configurations,
  instructionSocketsIn,
  writeConfigurations,
} from '../../scripts/laboratory/configurations.ts';
import { p256KeyFile } from '../../scripts/laboratory/keys.ts';
import { type Laboratory, setUpLaboratory, writeTicket } from '../../scripts/laboratory/laboratory.ts';
import { enginesDirectory } from '../../scripts/laboratory/line.ts';
import { type LinePlaces, linePlaces, type StationPlaces } from '../../scripts/laboratory/places.ts';
import { runToEnd } from '../run-to-end.ts';
import { assertRefused } from './refusal.ts';

type ProgramName = 'station' | 'gateway' | 'backend';
type Settings = Record<string, unknown>;

interface Door {
  readonly name: string;
  /** Spoils what the program is given: its settings, or files that they name. */
  readonly spoil: (settings: Settings) => Promise<void> | void;
  readonly code: FaultCode;
  /** Words that name what is wrong. */
  readonly about: readonly string[];
}

const WEEK_MS = 7 * 86_400_000;
const WRONG_PIN = '000000000000000000000000';
const root = mkdtempSync(join(tmpdir(), 'holdfast-doors-'));
let laboratory: Laboratory;
let places: LinePlaces;
let configurations: Configurations;

before(async () => {
  places = linePlaces(join(root, 'line'));
  laboratory = await setUpLaboratory(places, 1);
  await orderTicket({});
  const nowhere = `postgresql:///none?host=${encodeURIComponent(root)}&user=holdfast`;
  configurations = writeConfigurations(laboratory, {
    brokerPort: 1,
    ledgerUrl: nowhere,
    fleetUrl: nowhere,
    pcscSocket: join(root, 'pcscd.comm'),
    readerNames: ['none'],
    serialPorts: [join(root, 'no-board')],
    instructionSockets: instructionSocketsIn(root),
    journalSockets: [join(root, 'journal.sock')],
  });
});
after(() => rmSync(root, { recursive: true, force: true }));

/** A valid ticket for station-1, but for what is changed. */
function orderTicket(change: { stations?: readonly StationPlaces[]; nowMs?: number; by?: LinePlaces }) {
  const { stations = [places.station(1)], nowMs = Date.now(), by = places } = change;
  return writeTicket(by, stations, { run: 1, units: 1, nowMs });
}

function spoiltConfig(program: ProgramName): string {
  return join(root, `${program}.json`);
}

const misspelt: Door = {
  name: 'a setting that does not exist',
  spoil: (settings) => {
    settings.sation = 'station-1';
  },
  code: 'CONFIG_INVALID',
  about: ['"sation"'],
};
const pinIs = (content: string, mode: number) => (settings: Settings) => {
  const pinFile = join(root, 'pin');
  writeFileSync(pinFile, content);
  chmodSync(pinFile, mode);
  Object.assign(settings.token as Settings, { pinFile });
};
const wrongPin: Door = {
  name: 'a PIN file of another token',
  spoil: pinIs(WRONG_PIN, 0o600),
  code: 'TOKEN_PIN_WRONG',
  about: ['CKR_PIN_INCORRECT', 'pinFile: /'],
};
const noToken: Door = {
  name: 'a token that is not there',
  spoil: (settings) => {
    Object.assign(settings.token as Settings, { label: 'nobody' });
  },
  code: 'TOKEN_UNAVAILABLE',
  about: ['nobody'],
};

const doors: Readonly<Record<ProgramName, readonly Door[]>> = {
  station: [
    misspelt,
    {
      name: 'a journal that was never set up',
      spoil: (settings) => {
        Object.assign(settings.journal as Settings, { directory: join(root, 'no-journal') });
      },
      code: 'JOURNAL_MISSING',
      about: ['no-journal'],
    },
    wrongPin,
    {
      name: 'a PIN file that others may read',
      spoil: pinIs(WRONG_PIN, 0o644),
      code: 'FILE_UNREADABLE',
      about: ['mode must be 0600'],
    },
    noToken,
    {
      name: 'a ticket for another station',
      spoil: (settings) => swapTicket(settings, { stations: [places.station(2)] }),
      code: 'TICKET_INVALID',
      about: ['names other stations'],
    },
    {
      name: 'a ticket that is over',
      spoil: (settings) => swapTicket(settings, { nowMs: Date.now() - 2 * WEEK_MS }),
      code: 'TICKET_INVALID',
      about: ['outside its validity'],
    },
    {
      name: 'a ticket that somebody else signed',
      spoil: (settings) => {
        const by = linePlaces(join(root, 'stranger'));
        p256KeyFile(join(by.pki, 'ticket-authority.key'));
        return swapTicket(settings, { by });
      },
      code: 'TICKET_INVALID',
      about: ['not signed by the ticket authority'],
    },
    {
      name: 'no ticket',
      spoil: (settings) => {
        settings.ticketFile = join(root, 'no-ticket');
      },
      code: 'FILE_UNREADABLE',
      about: ['no-ticket'],
    },
    {
      name: 'no certificate for the broker',
      spoil: (settings) => {
        Object.assign(settings.bus as Settings, { certificate: join(root, 'no-certificate') });
      },
      code: 'FILE_UNREADABLE',
      about: ['no-certificate'],
    },
  ],
  gateway: [
    misspelt,
    wrongPin,
    noToken,
    { name: 'no database', spoil: () => undefined, code: 'LEDGER_UNAVAILABLE', about: ['ENOENT'] },
  ],
  backend: [
    misspelt,
    {
      name: 'no key for the log',
      spoil: (settings) => {
        Object.assign(settings.log as Settings, { keyFile: join(root, 'no-key') });
      },
      code: 'FILE_UNREADABLE',
      about: ['no-key'],
    },
    { name: 'no database', spoil: () => undefined, code: 'STORE_UNAVAILABLE', about: ['ENOENT'] },
  ],
};

/** Another ticket in place of the right one, which stays where it is. */
async function swapTicket(settings: Settings, change: Parameters<typeof orderTicket>[0]): Promise<void> {
  const ticketFile = join(root, 'ticket.jws');
  const own = places.station(1);
  const named = (change.stations ?? [own]).map(({ name }) => ({ ...own, name, ticket: ticketFile }));
  await orderTicket({ ...change, stations: named });
  settings.ticketFile = ticketFile;
}

for (const program of ['station', 'gateway', 'backend'] as const)
  describe(`the door of the ${program}`, () => {
    const run = () => {
      const token = laboratory.stations[0]?.token;
      assert.ok(token);
      const environment = {
        OPENSSL_ENGINES: enginesDirectory(),
        PKCS11_MODULE_PATH: token.module,
        SOFTHSM2_CONF: token.softHsmConf,
      };
      return runToEnd(
        `runtime/${program}/main.js`,
        [spoiltConfig(program)],
        program === 'station' ? environment : {},
      );
    };

    it('is closed to no configuration at all, in words', async () => {
      rmSync(spoiltConfig(program), { force: true });
      assertRefused(await run(), 'FILE_UNREADABLE', [spoiltConfig(program), 'ENOENT']);
    });

    it('is closed to a configuration that is not JSON, in words', async () => {
      writeFileSync(spoiltConfig(program), '{ "station": ');
      assertRefused(await run(), 'CONFIG_INVALID', [spoiltConfig(program), 'not JSON']);
    });

    for (const { name, spoil, code, about } of doors[program])
      it(`is closed to ${name}, in words`, async () => {
        const right = program === 'station' ? configurations.stations[0] : configurations[program];
        const settings = JSON.parse(readFileSync(right ?? '', 'utf8')) as Settings;
        await spoil(settings);
        writeFileSync(spoiltConfig(program), JSON.stringify(settings));
        const refusal = await run();
        assertRefused(refusal, code, about);
        assert.ok(!`${refusal.out}${refusal.err}`.includes(WRONG_PIN), 'a PIN was shown');
      });
  });
