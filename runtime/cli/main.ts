#!/usr/bin/env node
/** `holdfast` as a process: gives the commands their readers, made of drivers; decides nothing. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayConfig } from '../../config/gateway.ts';
import { gatewayToken } from '../../config/load.ts';
import { openDriver } from '../../drivers/index.ts';
import { toHex } from '../core/bytes.ts';
import { Fault } from '../core/faults.ts';
import type { CeremonyMeans } from './ceremony/means.ts';
import { createClosing } from './closing.ts';
import { usage } from './command.ts';
import type { EnrolmentMeans } from './enrol/means.ts';
import type { Wire } from './journal/live.ts';
import { type Copy, openJournal } from './journal/reader.ts';
import {
  type BackupMeans,
  type Files,
  type FleetReader,
  type LedgerReader,
  type Means,
  OutputClosed,
  type TokenJudge,
} from './means.ts';
import type { PkiMeans } from './pki/means.ts';
import { runCommandLine } from './run.ts';
import { coloured, plain } from './screen.ts';
import { showFault, unforeseen } from './show-fault.ts';
import type { WitnessMeans } from './witness/means.ts';

/** Longest silence of a running station before it is taken for stuck. */
const SILENCE_MS = 5_000;
const CONNECT_MS = 5_000;
/** Somebody looks for the badge. */
const TYPED_MS = 60_000;
/** A reader of a large log may wait longer than a line. */
const STATEMENT_MS = 30_000;

const PATIENCE = { statementTimeoutMs: STATEMENT_MS, connectTimeoutMs: CONNECT_MS, poolMax: 1 } as const;

/** Of a one-time code: nobody guesses 128 bits. */
const CODE_BYTES = 16;

const closing = createClosing();
const closed = { output: false };

/** Whoever runs a witness ends it by a signal. */
const witnessMeans: WitnessMeans = {
  openDoor: async (host, port) => {
    const door = (await openDriver.httpDoor())(host, port);
    return closing.keep(Promise.resolve({ ...door, [Symbol.asyncDispose]: () => door.close() }));
  },
  openKey: async (file) => (await openDriver.fileSigner()).openEd25519FileSigner(file),
  ended: () => new Promise(() => undefined),
};

const files: Files = {
  exists: existsSync,
  read: (path) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw unreadable(path, error as NodeJS.ErrnoException);
    }
  },
  names: (directory) => (existsSync(directory) ? readdirSync(directory).sort() : []),
  parent: (path) => dirname(resolve(path)),
};

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  closed.output = true;
});
// What nobody foresaw still reads as a fault, not as a stack trace.
process.on('uncaughtException', (error) => process.exit(showFault(unforeseen(error), false, { talk })));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    const end = (): void => {
      process.kill(process.pid, signal);
    };
    closing.closeAll().then(end, end);
  });

const code = await runCommandLine(process.argv.slice(2), await means());
// An interrupted command ends by its signal, once everything is closed.
if (!closing.begun) {
  await printed();
  process.exit(code);
}

async function means(): Promise<Means> {
  const crypto = await openDriver.nodeCrypto();
  const clock = await openDriver.systemClock();
  const isColoured = process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  return {
    print: (line) => {
      if (closed.output || closing.begun) throw new OutputClosed();
      process.stdout.write(`${line}\n`);
    },
    talk,
    typedLine,
    paint: isColoured ? coloured : plain,
    version: versionOf(new URL('../../../package.json', import.meta.url)),
    now: () => clock.now(),
    crypto,
    files,
    databaseUrl: process.env.DATABASE_URL ?? null,
    openJournal: async (directory) => {
      const readGenesis = await openDriver.readGenesis();
      const { sha256 } = crypto;
      const world = { files, dial, readGenesis, sha256, talk, pause: (ms: number) => sleep(ms) };
      const openJournalCopy = await openDriver.journalCopy();
      const openCopy = (path: string): Promise<Copy> => openJournalCopy(path, { sha256 });
      return closing.keep(openJournal(directory, { ...world, openCopy }));
    },
    openFleet: (url) => closing.keep(fleetReader(url)),
    prepareFleet: async (url, role) => (await openDriver.prepareFleetDatabase())({ url, ...PATIENCE }, role),
    openLedger: (url) => closing.keep(ledgerReader(url)),
    openToken: (config) => closing.keep(tokenJudge(config)),
    ceremony: await ceremonyMeans(),
    pki: await pkiMeans(),
    openSigner: signerOf,
    backup: await backupMeans(),
    write: async (path, content) =>
      (await openDriver.publisher())(dirname(resolve(path))).publish(basename(path), content),
    instruct: async (socket, of, body) => (await openDriver.instruct())(socket, of, body),
    enrolment: await enrolmentMeans(),
    witness: witnessMeans,
  };
}

/** Resolves when the reader has taken everything. A pager takes its time, as a person does: a signal ends the wait. */
function printed(): Promise<void> {
  return new Promise((done) => process.stdout.write('', () => done()));
}

function talk(line: string): void {
  if (!closing.begun) process.stderr.write(`${line}\n`);
}

function versionOf(packageFile: URL): string {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  return version;
}

function unreadable(path: string, cause: NodeJS.ErrnoException): Fault {
  return new Fault(
    'FILE_UNREADABLE',
    { file: cause.path ?? path, error: cause.code ?? 'unknown' },
    { cause },
  );
}

/** @throws Fault FILE_UNREADABLE when the socket is there and this account may not use it */
function dial(path: string): Promise<Wire | null> {
  return new Promise((answer, refuse) => {
    const socket = connect(path);
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.once('connect', () => answer(wireOf(socket)));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') answer(null);
      else refuse(unreadable(path, error));
    });
  });
}

/** A reader that types like a keyboard ends its number with a line feed, and closes nothing. */
async function typedLine(): Promise<string> {
  const reader = createInterface({ input: process.stdin });
  const late = sleep(TYPED_MS, null, { ref: false });
  const line = new Promise<string | null>((resolve) => {
    reader.once('line', resolve).once('close', () => resolve(null));
  });
  const typed = await Promise.race([line, late]);
  reader.close();
  process.stdin.pause();
  if (typed === null || typed.length > 256) throw usage('no line came that could be a number');
  return typed;
}

function wireOf(socket: Socket): Wire {
  const reader = createInterface({ input: socket });
  // An error of the socket is told by both; to whoever reads the lines it is their end.
  for (const part of [socket, reader]) part.on('error', () => socket.destroy());
  // Made at once: lines that come before anybody asks for them are kept.
  const lines = reader[Symbol.asyncIterator]();
  return {
    send: (line) => socket.write(`${line}\n`),
    lines: untilError(lines),
    close: () => {
      reader.close();
      socket.destroy();
    },
  };
}

async function* untilError(lines: AsyncIterableIterator<string>): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}

/** Only verbs that read are passed on; the driver has no connection that can do nothing else. */
async function fleetReader(url: string): Promise<FleetReader> {
  const open = await openDriver.postgresFleetStore();
  const store = await open({ url, ...PATIENCE });
  return {
    read: (work) => store.transaction(work),
    operation: (eid) => store.transaction((tx) => tx.operationByEid(eid)),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

async function ledgerReader(url: string): Promise<LedgerReader> {
  const open = await openDriver.postgresLedger();
  const ledger = await open({ url, ...PATIENCE });
  return {
    transcriptsOf: (eid) => ledger.transcriptsOf(eid),
    [Symbol.asyncDispose]: () => ledger.close(),
  };
}

async function enrolmentMeans(): Promise<EnrolmentMeans> {
  const { openBusOffice, readClientCertificate } = await openDriver.busOffice();
  const { appendLine, replaceFile } = await openDriver.durableText();
  const { bytes } = await openDriver.kernelEntropy();
  return {
    openKeys: async (place, make) => closing.keep((await openDriver.stationKeys())(place, make)),
    readCertificate: readClientCertificate,
    drawCode: () => toHex(bytes(CODE_BYTES)),
    ...openBusOffice(),
    appendLine,
    replaceFile,
  };
}

async function backupMeans(): Promise<BackupMeans> {
  const { backUpDatabase, restoreDatabase } = await openDriver.databaseBackup();
  return { backUp: backUpDatabase, restore: restoreDatabase };
}

/** In a process of its own, beside the gateway's. */
async function tokenJudge(config: GatewayConfig): Promise<TokenJudge> {
  const open = await openDriver.pkcs11Token();
  const token = await open(gatewayToken(config));
  return {
    auditSession: (keys, session) => token.auditSession(keys, session),
    [Symbol.asyncDispose]: () => token.close(),
  };
}

/** A key of a person: in a file of a laboratory, or in a token of their own. */
async function signerOf(key: Parameters<Means['openSigner']>[0]): ReturnType<Means['openSigner']> {
  if ('token' in key) {
    const open = await openDriver.pkcs11Signer();
    // SoftHSM reads it when it is loaded.
    if (key.token.softHsmConf !== null) process.env.SOFTHSM2_CONF = key.token.softHsmConf;
    return closing.keep(open(key.token));
  }
  const { openFileSigner } = await openDriver.fileSigner();
  const signer = await openFileSigner(key.file);
  return { ...signer, [Symbol.asyncDispose]: async () => undefined };
}

async function ceremonyMeans(): Promise<CeremonyMeans> {
  const openShelf = await openDriver.directoryShelf();
  const entropy = await openDriver.kernelEntropy();
  return {
    openToken: async (place) => {
      const open = await openDriver.pkcs11CeremonyToken();
      return closing.keep(open(place));
    },
    shelf: openShelf(),
    openRecipient: async (path) => (await openDriver.fileAgreementKey())(path),
    random: (count) => entropy.bytes(count),
  };
}

async function pkiMeans(): Promise<PkiMeans> {
  const roots = openDriver.rootDirectory;
  const entropy = await openDriver.kernelEntropy();
  return {
    makeRoot: async (directory, form, curve) => (await roots()).makeRootDirectory(directory, form, curve),
    openRoot: async (directory) => (await roots()).openRootDirectory(directory),
    makeKey: async (path) => (await roots()).makeKeyFile(path),
    random: (count) => entropy.bytes(count),
    temporaryDirectory: () => mkdtempSync(join(tmpdir(), 'holdfast-drill-')),
    forget: (directory) => rmSync(directory, { recursive: true, force: true }),
    monotonicMs: () => performance.now(),
  };
}
