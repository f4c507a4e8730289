/** The far side of one fixture: gate controller board, conveyor and chips, as processes that no program of ours controls. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import { type JsonSocket, openJsonSocket } from './json-socket.ts';
import { controllerOf } from './laboratory.ts';
import type { StationPlaces } from './places.ts';
import { type Program, startProgram } from './programs.ts';

/** A line of the gate log, the witness of what truly happened. */
export interface GateLine {
  readonly at: number;
  readonly event: 'ARRIVED' | 'OPENED' | 'LEFT' | 'CLOSED' | 'REFUSED' | 'SEAT-FAILED';
  readonly unit: number | null;
  readonly arrival: number;
  readonly lane: 'good' | 'reject' | null;
  readonly counter: number;
  readonly reason: string;
  readonly motionMs: number;
}

/** What a chip holds, as its maker can see it and nobody else. */
export interface ChipContents {
  readonly eid: string;
  readonly lifeCycle: number;
  readonly keyVersions: readonly number[];
  readonly hasCertificate: boolean;
  readonly certificate: string | null;
}

export interface FixtureWorld {
  feed(count: number, firstIndex: number): Promise<void>;
  stopFeeding(): Promise<void>;
  onGate(handler: (line: GateLine) => void): void;
  /** The chip's own calculating time since it was last seated. */
  account(index: number): Promise<{ readonly eid: string; readonly cardMs: number; readonly apdus: number }>;
  contents(index: number): Promise<ChipContents>;
  board(request: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  stop(): Promise<void>;
}

/** Short, as a laptop has no pneumatics. */
const MOTION = { arriveMs: 10, clampMs: 5, gateMs: 5, leaveMs: 10 };

export interface FixtureOptions {
  readonly index: number;
  readonly places: StationPlaces;
  readonly vendorMaster: string;
  readonly boardPath: string;
  readonly vpcdPort: number;
  readonly enter: (argv: readonly string[]) => readonly string[];
  readonly socketsPath: string;
  readonly logs: string;
  readonly seed: string;
}

export const chipSocketOf = ({ socketsPath, index }: FixtureOptions): string =>
  join(socketsPath, `chips-${index}.sock`);
export const boardSocketOf = ({ socketsPath, index }: FixtureOptions): string =>
  join(socketsPath, `board-${index}.sock`);
export const boardMemoryOf = ({ places }: FixtureOptions): string => join(places.fixture, 'board-state.json');

export async function createFixtureWorld(options: FixtureOptions): Promise<FixtureWorld> {
  const chips = await startChips(options);
  const board = await startBoard(options);
  const chipLine = await openJsonSocket(chipSocketOf(options));
  const boardLine = await openJsonSocket(boardSocketOf(options));
  const handlers: ((line: GateLine) => void)[] = [];
  boardLine.onLine((line) => {
    if (line.gate !== undefined) for (const handler of handlers) handler(line.gate as GateLine);
  });
  await boardLine.ask({ verb: 'subscribe' });
  return worldOf(chipLine, boardLine, handlers, async () => {
    chipLine.close();
    boardLine.close();
    await board.stop();
    await chips.stop();
  });
}

/** The process that holds the chips. */
export function startChips(options: FixtureOptions): Promise<Program> {
  const { places } = options;
  return startProgram({
    name: `chips of ${places.name}`,
    module: 'drivers/card-reader/virtual-se/host-main.js',
    config: writeConfig(join(places.fixture, 'chips.json'), {
      vpcdHost: '127.0.0.1',
      vpcdPort: options.vpcdPort,
      socketPath: chipSocketOf(options),
      chipsDirectory: places.chips,
      transportMasterFile: options.vendorMaster,
      transportKeyVersion: cardProfiles['holdfast-virtual'].transportKeyVersion,
      seed: options.seed,
    }),
    logFile: join(options.logs, `${places.name}-chips.log`),
    enter: options.enter,
    ready: '"event":"ready"',
  });
}

/** The I/O board; it is at work when it answers at its socket. */
export function startBoard(options: FixtureOptions): Promise<Program> {
  const { places, index } = options;
  return startProgram({
    name: `board of ${places.name}`,
    module: 'drivers/jig/controller/board-main.js',
    config: writeConfig(join(places.fixture, 'board.json'), {
      controller: controllerOf(index),
      nest: 'a',
      serialPath: options.boardPath,
      tagKeyFile: places.tagKey,
      stateFile: boardMemoryOf(options),
      gateLogFile: places.gateLog,
      controlSocket: boardSocketOf(options),
      chipSocket: chipSocketOf(options),
      motion: MOTION,
      hostTimeoutMs: 500,
      openTimeoutMs: 3_000,
    }),
    logFile: join(options.logs, `${places.name}-board.log`),
    ready: '',
  });
}

function worldOf(
  chips: JsonSocket,
  board: JsonSocket,
  handlers: ((line: GateLine) => void)[],
  stop: () => Promise<void>,
): FixtureWorld {
  return {
    feed: async (count, firstIndex) => {
      await board.ask({ verb: 'feed', count, firstIndex });
    },
    stopFeeding: async () => {
      await board.ask({ verb: 'stop' });
    },
    onGate: (handler) => handlers.push(handler),
    account: async (index) => {
      const { eid, cardMs, apdus } = await chips.ask({ verb: 'account', index });
      return { eid: String(eid), cardMs: Number(cardMs), apdus: Number(apdus) };
    },
    contents: async (index) => (await chips.ask({ verb: 'contents', index })) as unknown as ChipContents,
    board: (request) => board.ask(request),
    stop,
  };
}

function writeConfig(path: string, value: object): string {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  return path;
}
