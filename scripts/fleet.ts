/**
 * `npm run fleet`: loads a fleet of synthetic units into a private PostgreSQL, asks it what an incident asks, compares
 * the answers with a naive reading of the whole log, and takes the rate of registrations.
 * `-- --units N --queries N --registrations N --only states,shifts,cohort,oracle,registrations --json`.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Database, openDatabase } from '../drivers/store/postgres/database.ts';
import { openPostgresFleetStore } from '../drivers/store/postgres/fleet-store.ts';
import type { LogSigner } from '../runtime/backend/ports.ts';
import type { FleetStore } from '../runtime/core/store/fleet.ts';
import { loadFleet } from './fleet/load.ts';
import { saidIn } from './fleet/oracle.ts';
import {
  compareShifts,
  compareStates,
  questionsOf,
  timeCohort,
  timeShifts,
  timeStates,
} from './fleet/questions.ts';
import { registrationRate } from './fleet/registrations.ts';
import { startPostgres } from './stand/postgres.ts';

const { values } = parseArgs({
  options: {
    units: { type: 'string', default: '1000000' },
    queries: { type: 'string', default: '10000' },
    registrations: { type: 'string', default: '8000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: 'states,shifts,cohort,oracle,registrations' },
    json: { type: 'boolean', default: false },
  },
});
/** Largest cohort that is asked for. */
const COHORT_MAX = 100_000;
const SHIFTS = 20;
const STATES_TIMED = 1_000;
const WAITING = 256;
const ALONE = 1_000;
const STATEMENT_MS = 120_000;

interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly beside?: string;
}

const units = Number(values.units);
const wanted = new Set(values.only.split(','));
const figures: Figure[] = [];
const note = (what: string, value: number, unit: string, beside?: string): void => {
  figures.push({ what, value, unit, ...(beside === undefined ? {} : { beside }) });
  if (values.json) return;
  const shown = value >= 100 ? String(Math.round(value)) : value.toFixed(2);
  process.stdout.write(
    `${what.padEnd(52)} ${shown.padStart(10)} ${unit}${beside === undefined ? '' : `   ${beside}`}\n`,
  );
};

const directory = mkdtempSync(join(tmpdir(), 'hf-'));
const stand = await startPostgres({ directory, databases: ['fleet', 'bare'] });
let differs = 0;
try {
  const [fleet, bare] = [await opened('fleet'), await opened('bare')];
  const logSigner = newLogSigner();
  const began = performance.now();
  await loadFleet({ database: fleet.database, units, logSigner, onProgress: progress });
  note('units loaded', units, 'units', `${((performance.now() - began) / 1_000).toFixed(0)} s`);
  await fleet.database.single({ text: 'analyze' });
  await ask(fleet.store);
  if (wanted.has('registrations')) await rates(fleet.database, bare.database, logSigner);
  for (const one of [fleet, bare]) {
    await one.database.close();
    await one.store.close();
  }
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await stand.stop();
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = differs === 0 ? 0 : 1;

async function ask(store: FleetStore): Promise<void> {
  const queries = questionsOf(Number(values.seed), Number(values.queries), units);
  if (wanted.has('states')) {
    const { p50Ms, p99Ms, maxMs } = await timeStates(store, queries.slice(0, STATES_TIMED));
    note(
      'state of a unit at an instant, p99',
      p99Ms,
      'ms',
      `p50 ${p50Ms.toFixed(2)}, longest ${maxMs.toFixed(2)}`,
    );
  }
  if (wanted.has('shifts')) {
    const { p50Ms, maxMs, units: most } = await timeShifts(store, SHIFTS);
    note(
      'blast radius of a shift of a station, longest',
      maxMs,
      'ms',
      `p50 ${p50Ms.toFixed(2)}, up to ${most} units`,
    );
  }
  if (wanted.has('cohort'))
    for (const by of ['batch', 'order'] as const) {
      const { ms, units: found } = await timeCohort(store, by, COHORT_MAX);
      note(`cohort selected by its ${by}`, ms, 'ms', `${found} units`);
    }
  if (!wanted.has('oracle')) return;
  const states = await compareStates(store, queries, saidIn);
  const shifts = await compareShifts(store, SHIFTS, saidIn);
  for (const line of [...states.differ, ...shifts.differ]) process.stderr.write(`${line}\n`);
  differs = states.differ.length + shifts.differ.length;
  note(
    'answers that an independent oracle was asked too',
    states.asked + shifts.asked,
    'answers',
    `${differs} differ`,
  );
}

async function rates(database: Database, bare: Database, logSigner: LogSigner): Promise<void> {
  const headFile = join(directory, 'head');
  const common = { database, bare, headFile, logSigner };
  const count = Number(values.registrations);
  for (const [what, load] of [
    ['registrations a second, many waiting', { from: 2 * units, registrations: count, waiting: WAITING }],
    ['registrations a second, one alone', { from: 2 * units + 2 * count, registrations: ALONE, waiting: 1 }],
  ] as const) {
    const rate = await registrationRate({ ...common, ...load });
    const ratio = rate.barePerSecond / rate.perSecond;
    note(
      what,
      rate.perSecond,
      '1/s',
      `bare inserts ${rate.barePerSecond.toFixed(0)}, ratio ${ratio.toFixed(2)}; groups of ${rate.group.toFixed(0)}, ` +
        `p50 ${rate.p50Ms.toFixed(1)} ms, p99 ${rate.p99Ms.toFixed(1)} ms; ${rate.bytes} bytes of statements`,
    );
  }
}

async function opened(name: string): Promise<{ readonly store: FleetStore; readonly database: Database }> {
  const options = {
    url: `postgresql:///${name}?host=${encodeURIComponent(stand.socketDirectory)}&user=${stand.user}`,
    ...{ statementTimeoutMs: STATEMENT_MS, connectTimeoutMs: 5_000, poolMax: 4 },
    ...{ applicationName: 'holdfast fleet' },
    unavailableCode: 'STORE_UNAVAILABLE',
  } as const;
  const store = await openPostgresFleetStore(options);
  return { store, database: await openDatabase(options) };
}

function newLogSigner(): LogSigner {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    key: {
      name: 'fleet.holdfast.example/log',
      publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
    },
    sign: (message) => sign(null, message, privateKey),
  };
}

function progress(done: number): void {
  if (!values.json && process.stderr.isTTY) process.stderr.write(`\r${done} of ${units} units`);
}
