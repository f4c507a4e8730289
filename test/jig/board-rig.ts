/** For tests: the simulated board as a process at one end of a pseudo terminal pair, everything in one directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BoardConfig } from '../../drivers/jig/controller/board-main.ts';
import type { ControlRequest } from '../../drivers/jig/controller/control-socket.ts';
import type { GateLogLine } from '../../drivers/jig/controller/fixture.ts';
import { readJsonLines, writeJsonLine } from '../../drivers/jig/controller/json-lines.ts';

export const TAG_KEY = '000102030405060708090a0b0c0d0e0f';
/** Patient enough for a machine that has much else to do. */
export const PATIENT = { clampMs: 800, writeMs: 250, silenceMs: 600, openJigMs: 10_000 } as const;
export const HOST_TIMEOUT_MS = 600;
const START_MS = 10_000;

export interface BoardRig {
  readonly directory: string;
  readonly serialPath: string;
  readonly socat: ChildProcess;
  board: ChildProcess;
  ask(request: ControlRequest): Promise<Record<string, unknown>>;
  gateLog(): Promise<readonly GateLogLine[]>;
  /** Kills the board without a word and starts it again: a power cut. */
  powerCycle(): Promise<void>;
  /** Pulls the cable, and lays another one with the same ends. */
  pullCable(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export async function startBoardRig(changes: Partial<BoardConfig> = {}): Promise<BoardRig> {
  const directory = await mkdtemp(join(tmpdir(), 'jig-'));
  const at = (name: string): string => join(directory, name);
  const config: BoardConfig = {
    controller: 'gate-1',
    nest: 'n1',
    serialPath: at('board'),
    tagKeyFile: at('tag.key'),
    stateFile: at('state.json'),
    gateLogFile: at('gate.log'),
    controlSocket: at('control'),
    chipSocket: null,
    motion: { arriveMs: 10, clampMs: 10, gateMs: 10, leaveMs: 10 },
    hostTimeoutMs: HOST_TIMEOUT_MS,
    openTimeoutMs: 2_000,
    ...changes,
  };
  await writeFile(at('tag.key'), `${TAG_KEY}\n`, { mode: 0o600 });
  await writeFile(at('config.json'), JSON.stringify(config));
  const lay = async (): Promise<ChildProcess> => {
    const ends = ['station', 'board'].map((end) => `pty,raw,echo=0,link=${at(end)}`);
    const socat = spawn('socat', ends, { stdio: 'ignore' });
    await until(() => existsSync(at('station')) && existsSync(at('board')));
    return socat;
  };
  const power = async (): Promise<[ChildProcess, Control]> => {
    const main = fileURLToPath(new URL('../../drivers/jig/controller/board-main.js', import.meta.url));
    await rm(at('control'), { force: true });
    const board = spawn(process.execPath, [main, at('config.json')], { stdio: 'inherit' });
    return [board, await openControl(at('control'))];
  };
  let socat = await lay();
  let [board, control] = await power();
  const unplug = async (): Promise<void> => {
    control.close();
    await end(board, 'SIGKILL');
  };
  return {
    directory,
    serialPath: at('station'),
    get socat() {
      return socat;
    },
    get board() {
      return board;
    },
    ask: (request) => control.ask(request),
    gateLog: async () => {
      // The board makes the file with its first line.
      if (!existsSync(at('gate.log'))) return [];
      const lines = (await readFile(at('gate.log'), 'utf8')).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as GateLogLine);
    },
    powerCycle: async () => {
      await unplug();
      [board, control] = await power();
    },
    pullCable: async () => {
      await end(socat, 'SIGKILL');
      await unplug();
      await Promise.all(['station', 'board'].map((name) => rm(at(name), { force: true })));
      return async () => {
        socat = await lay();
        [board, control] = await power();
      };
    },
    stop: async () => {
      await unplug();
      await end(socat, 'SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Control {
  ask(request: ControlRequest): Promise<Record<string, unknown>>;
  close(): void;
}

async function openControl(path: string): Promise<Control> {
  const socket = await connect(path);
  socket.on('error', () => socket.destroy()); // The board was killed: that is what the test is about.
  const waiting = new Map<number, (answer: Record<string, unknown>) => void>();
  readJsonLines(socket, (value) => {
    const answer = value as Record<string, unknown>;
    waiting.get(Number(answer.id))?.(answer);
  });
  let lastId = 0;
  return {
    ask: (request) =>
      new Promise((resolve) => {
        const id = ++lastId;
        waiting.set(id, resolve);
        writeJsonLine(socket, { id, ...request });
      }),
    close: () => socket.destroy(),
  };
}

/** The socket's file is there a moment before anybody listens. */
async function connect(path: string): Promise<Socket> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const socket = createConnection(path);
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

export async function until(condition: () => boolean | Promise<boolean>, withinMs = START_MS): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Process id of the one child of this process that runs `script`. */
export function ownChild(script: string): number {
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1]?.split(' ')[1];
      if (parent !== String(process.pid)) continue;
      if (readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(script)) return Number(entry);
    } catch {
      // That process ended while we looked: it is not the one.
    }
  }
  throw new Error(`no child runs ${script}`);
}
