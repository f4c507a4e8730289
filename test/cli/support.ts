/** What the tests of the command line share: the program as a child, and directories of stations to read. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal, provisionJournal } from '../../drivers/journal/leveldb.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import type { CeremonyMeans } from '../../runtime/cli/ceremony/means.ts';
import type { EnrolmentMeans } from '../../runtime/cli/enrol/means.ts';
import type { BackupMeans, Means } from '../../runtime/cli/means.ts';
import type { PkiMeans } from '../../runtime/cli/pki/means.ts';
import { runCommandLine } from '../../runtime/cli/run.ts';
import { plain } from '../../runtime/cli/screen.ts';
import type { WitnessMeans } from '../../runtime/cli/witness/means.ts';
import type { Genesis, NewEntry } from '../../runtime/core/journal/entry.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import type { FleetStore } from '../../runtime/core/store/fleet.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { type Ended, runToEnd } from '../run-to-end.ts';

const DAY_MS = 86_400_000;

/** Runs the compiled `holdfast` to its end; it knows of no database but those it is told of. */
export function holdfast(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  input: string | null = null,
): Promise<Ended> {
  const own = { DATABASE_URL: undefined, TZ: 'UTC', ...environment };
  return runToEnd('runtime/cli/main.js', args, own, input);
}

/** Nothing of the HSM room. */
export const noCeremony: CeremonyMeans = {
  openToken: async () => assert.fail('a token was opened'),
  shelf: { read: async () => null, write: async () => assert.fail('something was written') },
  random: () => assert.fail('something was drawn'),
  openRecipient: async () => assert.fail('a key was opened'),
};

export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

export interface Lived {
  readonly genesis: Genesis;
  /** The whole journal of the only station. */
  readonly entries: readonly NewEntry[];
  readonly fleet: FleetStore;
}

/** What is left after a simulated line has done its units: real facts, receipts, records and leaves. */
export async function simulatedLine(
  units: number,
  afterwards: (world: World) => Promise<void> = async () => undefined,
): Promise<Lived> {
  const world = await createWorld({ seed: 'command line', stations: 1, units });
  await world.run(DAY_MS);
  await afterwards(world);
  const [station] = world.stations;
  if (station === undefined) throw new RangeError('no station');
  const { genesis, durable } = station.disk;
  const stored = [...durable].filter(([key]) => key.startsWith('j!')).sort(([a], [b]) => (a < b ? -1 : 1));
  const entries = stored.map(([, value]): NewEntry => {
    const text = Buffer.from(value).toString('utf8');
    const { at, fact } = JSON.parse(text.slice(0, text.lastIndexOf(' '))) as NewEntry;
    return { at, fact };
  });
  return { genesis, entries, fleet: world.fleet.connect() };
}

export interface StationDirectory {
  readonly directory: string;
  readonly journal: string;
  readonly socket: string;
}

/** A station's directory as the set-up makes it, with these entries in its journal and nobody at work on it. */
export async function makeStation(
  directory: string,
  genesis: Genesis,
  entries: readonly NewEntry[],
): Promise<StationDirectory> {
  const journal = join(directory, 'journal');
  const socket = join(directory, 's.sock');
  mkdirSync(directory, { recursive: true });
  await provisionJournal(journal, genesis);
  {
    await using open = await openStation(journal);
    for (const entry of entries) await open.append([entry]);
  }
  const settings = {
    station: genesis.station,
    nests: [{ name: 'a' }],
    journal: { directory: journal, socket },
    logKey: { name: 'none', publicKey: '00'.repeat(32) },
  };
  writeFileSync(join(directory, 'station.json'), JSON.stringify(settings));
  return { directory, journal, socket };
}

export function openStation(journal: string) {
  const quiet = { laboratoryFileSystem: true, onWarning: () => undefined };
  return openLeveldbJournal({ directory: journal, sha256: nodeCrypto.sha256, ...quiet });
}

/** One hash over the names, times and bytes of everything in a directory. */
export function fingerprint(directory: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const stat = statSync(join(directory, name));
    hash.update(`${name} ${stat.mtimeMs} ${stat.ino} ${stat.size}\n`);
    if (stat.isFile()) hash.update(readFileSync(join(directory, name)));
  }
  return hash.digest('hex');
}

const report = {
  kind: 'status',
  reason: 'none',
  controller: 'gate-1',
  nest: 'a',
  arrival: 9,
  gate: 'closed',
  obeyed: 0,
  left: { arrival: 0, counter: 0, lane: 'good' },
  mac: '00'.repeat(16),
} as const;

export const HELD_EID = '89049032000000000000000000009960';

/** A visit that ends with a hold: no chip answers after it was identified. */
export function heldVisit(fromMs: number): readonly NewEntry[] {
  const visit = { nest: 'a', visit: '01890000-0000-7000-8000-000000000001' } as const;
  const identity = { eid: HELD_EID, seFingerprint: 'ab'.repeat(32), atr: '3b00', keyVersions: [0x30] };
  const facts: readonly Fact[] = [
    { ...visit, name: 'arrived', arrival: 9, report },
    { ...visit, name: 'clamped' },
    { ...visit, name: 'identified', identity },
    { ...visit, name: 'held', fault: { code: 'BACKEND_SILENT', context: { attempts: 3 } } },
    { ...visit, name: 'resumed' },
    { ...visit, name: 'clamped' },
    { ...visit, name: 'held', fault: { code: 'CARD_ABSENT', context: { reader: 'left' } } },
  ];
  return facts.map((fact, i) => ({ at: fromMs + i * 1000, fact }));
}

/** Certificates and roots of nobody: whatever is asked of them is a mistake of the test. */
export const noPki: PkiMeans = new Proxy({} as PkiMeans, {
  get: (_, name) => () => assert.fail(`pki.${String(name)} was asked`),
});

/** Means of a command that needs none of these. */
export const nothingElse = {
  openSigner: async () => assert.fail('a key was opened'),
  typedLine: async () => assert.fail('a line was read'),
  instruct: async () => assert.fail('somebody was instructed'),
  write: async () => assert.fail('something was written'),
  backup: new Proxy({} as BackupMeans, { get: () => assert.fail('a backup was made') }),
  ceremony: noCeremony,
  pki: noPki,
  prepareFleet: async () => assert.fail('a database was migrated'),
  witness: new Proxy({} as WitnessMeans, { get: () => assert.fail('a witness was run') }),
  enrolment: new Proxy({} as EnrolmentMeans, { get: () => assert.fail('a station was enrolled') }),
};

/** Keys by the names of their files. */
export const openKeyFile: Means['openSigner'] = async (key) =>
  'file' in key ? kept(await openFileSigner(key.file)) : assert.fail('a token was opened');

/** A key that nothing has to close. */
export const kept = (signer: Signer): Signer & AsyncDisposable => ({
  ...signer,
  [Symbol.asyncDispose]: async () => undefined,
});

/** The command line in this process: its files are the real ones, and it has nothing but what `means` gives it. */
export async function inProcess(
  args: readonly string[],
  means: Partial<Means>,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const said = { out: '', err: '' };
  const unused = async (): Promise<never> => assert.fail('nothing else is opened');
  const code = await runCommandLine(args, {
    print: (line) => {
      said.out += `${line}\n`;
    },
    talk: (line) => {
      said.err += `${line}\n`;
    },
    paint: plain,
    version: '0.0.0',
    now: () => Date.now(),
    crypto: nodeCrypto,
    files: {
      exists: existsSync,
      read: (path) => readFileSync(path, 'utf8'),
      names: () => [],
      parent: dirname,
    },
    databaseUrl: null,
    ...nothingElse,
    openJournal: unused,
    openFleet: unused,
    openLedger: unused,
    openToken: unused,
    ...means,
  });
  return { code, ...said };
}
