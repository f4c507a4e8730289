/** The commands of certificates in this process: real files and root directories, and doors of whichever programs. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { openPublisher } from '../../drivers/certificates/publisher.ts';
import {
  makeKeyFile,
  makeRootDirectory,
  openRootDirectory,
} from '../../drivers/certificates/root-directory.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import type { InMemoryInstructionDoor } from '../../drivers/instruction/in-memory.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import type { Means } from '../../runtime/cli/means.ts';
import { runCommandLine } from '../../runtime/cli/run.ts';
import { plain } from '../../runtime/cli/screen.ts';
import { Fault } from '../../runtime/core/faults.ts';
import type { FleetStore } from '../../runtime/core/store/fleet.ts';
import { p256KeyFile } from '../../scripts/laboratory/keys.ts';
import { nothingElse, openKeyFile } from '../cli/support.ts';

export interface Desk extends AsyncDisposable {
  readonly directory: string;
  /** A path in the directory. */
  at(name: string): string;
  write(name: string, text: string): string;
  read(name: string): string;
  /** Runs a command with paths as they are typed. @returns exit code, what it printed, what it said */
  holdfast(
    ...args: readonly string[]
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
}

export interface DeskOptions {
  readonly nowMs: () => number;
  readonly doors?: Readonly<Record<string, InMemoryInstructionDoor>>;
  readonly fleet?: FleetStore;
  /** Lets the time of simulated programs pass while they are asked. */
  readonly during?: <T>(work: Promise<T>) => Promise<T>;
}

export function openDesk(options: DeskOptions): Desk {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-desk-'));
  const entropy = createSimulatedEntropy('desk');
  const during = options.during ?? ((work) => work);
  const at = (name: string): string => join(directory, name);
  return {
    directory,
    at,
    write: (name, text) => {
      writeFileSync(at(name), text, { mode: 0o600 });
      return at(name);
    },
    read: (name) => readFileSync(at(name), 'utf8'),
    holdfast: async (...args) => {
      const said = { out: '', err: '' };
      const means = meansOf(options, said, (count) => entropy.bytes(count), during);
      return { code: await runCommandLine(args, means), ...said };
    },
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

function meansOf(
  { nowMs, doors = {}, fleet }: DeskOptions,
  said: { out: string; err: string },
  random: (count: number) => Uint8Array,
  during: NonNullable<DeskOptions['during']>,
): Means {
  const nowhere = async (): Promise<never> => assert.fail('something else was opened');
  return {
    print: (line) => {
      said.out += `${line}\n`;
    },
    talk: (line) => {
      said.err += `${line}\n`;
    },
    paint: plain,
    version: '0.0.0',
    now: nowMs,
    crypto: nodeCrypto,
    files: {
      exists: existsSync,
      read: (path) => {
        try {
          return readFileSync(path, 'utf8');
        } catch (cause) {
          throw new Fault('FILE_UNREADABLE', { file: path }, { cause });
        }
      },
      names: (path) => (existsSync(path) ? readdirSync(path).sort() : []),
      parent: dirname,
    },
    databaseUrl: fleet === undefined ? null : 'postgresql://simulated',
    openJournal: nowhere,
    openFleet: async () => {
      const store = fleet ?? assert.fail('there is no fleet');
      return {
        read: (work) => during(store.transaction(work)),
        operation: (eid) => during(store.transaction((tx) => tx.operationByEid(eid))),
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
    openLedger: nowhere,
    openToken: nowhere,
    ...nothingElse,
    openSigner: openKeyFile,
    write: (path, content) => openPublisher(dirname(path)).publish(basename(path), content),
    instruct: (socket, of, body) =>
      during((doors[socket] ?? assert.fail(`no door ${socket}`)).instruct(of, body)),
    pki: {
      makeRoot: makeRootDirectory,
      openRoot: openRootDirectory,
      makeKey: (path) => makeKeyFile(path),
      random,
      temporaryDirectory: () => mkdtempSync(join(tmpdir(), 'holdfast-drill-')),
      forget: (path) => rmSync(path, { recursive: true, force: true }),
      monotonicMs: () => performance.now(),
    },
  };
}

/** Key files of officers, made in the desk's directory, and what a root's form says of them. */
export async function officersAt(desk: Desk, names: readonly string[]) {
  const keys = await Promise.all(
    names.map(async (name) => {
      const { publicKey } = await openFileSigner(p256KeyFile(desk.at(`${name}.key`)));
      return { name, publicKey: Buffer.from(publicKey).toString('hex') };
    }),
  );
  return keys;
}

/** Approves with the officers' own keys; answers the files of the approvals as they are typed. */
export async function approved(
  desk: Desk,
  plan: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const typed: string[] = [];
  for (const name of names) {
    const out = desk.at(`${name}.${basename(plan)}.jws`);
    const sign = ['--officer', name, '--key', desk.at(`${name}.key`), '--reason', 'as planned', '--out', out];
    const { code, err } = await desk.holdfast('pki', 'approve', plan, ...sign);
    assert.equal(code, 0, err);
    typed.push('--approval', out);
  }
  return typed;
}
