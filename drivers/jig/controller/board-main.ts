/**
 * The simulated I/O board as a process: `node board-main.js <config.json>`. It holds one end of a pseudo
 * terminal pair as an Uno holds its USB line, and writes the gate log, the independent witness of every
 * release. Its state file and its log outlive it; a kill is a power cut.
 */
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { fromHex } from '../../../runtime/core/bytes.ts';
import { openSystemClock } from '../../clock/system.ts';
import { nodeCrypto } from '../../crypto/node.ts';
import { createBareLine } from './bare-line.ts';
import { type Board, createBoard } from './board.ts';
import { type BoardPort, openBoardPort } from './board-port.ts';
import { openChipSocket } from './chip-socket.ts';
import { type ControlRequest, serveControl } from './control-socket.ts';
import { createFixture, type GateLogLine } from './fixture.ts';
import type { Sensed } from './gate-controller.ts';
import type { Line, MotionTimes } from './line.ts';
import { openStateFile } from './state-file.ts';
import { createStockBoard } from './stock-board.ts';

export interface BoardConfig {
  readonly controller: string;
  readonly nest: string;
  readonly serialPath: string;
  /** AES-128 key of the release tags, 32 hexadecimal digits; readable by its owner alone. */
  readonly tagKeyFile: string;
  readonly stateFile: string;
  readonly gateLogFile: string;
  readonly controlSocket: string;
  /** Unix socket of the process that holds the chips; null for a line without chips. */
  readonly chipSocket: string | null;
  readonly motion: MotionTimes;
  readonly hostTimeoutMs: number;
  readonly openTimeoutMs: number;
  /** `stock`: plain Firmata, without the gate controller and what belongs to it. Default: ours. */
  readonly firmware?: 'ours' | 'stock';
}

/** The line, and the board that stands at it. */
interface Stand {
  readonly line: Line;
  readonly board: Board;
  sensed(): Sensed;
  onWitness(handler: (line: GateLogLine) => void): unknown;
}

async function main(configPath: string): Promise<void> {
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as BoardConfig;
  const key = config.firmware === 'stock' ? null : readKey(config.tagKeyFile);
  const port = await openBoardPort(config.serialPath);
  const stand = standOf(config, key, port);
  port.onData(stand.board.receive);
  stand.board.announce();
  const control = await serveControl(config.controlSocket, (request) => perform(request, stand));
  stand.onWitness(control.publish);
}

function standOf(config: BoardConfig, key: Uint8Array | null, { send, hangUp }: BoardPort): Stand {
  const clock = openSystemClock();
  const chips = config.chipSocket === null ? null : openChipSocket(config.chipSocket);
  const common = {
    clock,
    motion: config.motion,
    seat: async (index: number): Promise<void> => {
      await chips?.seat(index);
    },
    witness: (line: GateLogLine): void => appendFileSync(config.gateLogFile, `${JSON.stringify(line)}\n`),
  };
  if (key === null) {
    const bare = createBareLine(common);
    return { ...bare, board: createStockBoard({ bare, clock, send, hangUp }) };
  }
  const { controller, nest, openTimeoutMs, hostTimeoutMs } = config;
  const fixture = createFixture({
    ...common,
    self: { controller, nest, cipher: (block) => nodeCrypto.aesEncryptBlock(key, block) },
    memory: openStateFile(config.stateFile),
    openTimeoutMs,
    hostTimeoutMs,
  });
  return { ...fixture, board: createBoard({ fixture, clock, send, hangUp }) };
}

async function perform(request: ControlRequest, { line, sensed, board }: Stand): Promise<object> {
  switch (request.verb) {
    case 'feed':
      line.feed(request.count, request.firstIndex);
      return {};
    case 'stop':
      line.stop();
      return {};
    case 'status':
      return { unit: line.unit(), waiting: line.waiting(), sensed: sensed() };
    case 'misbehave':
      board.misbehave(request.misbehaviour);
      return {};
    case 'take-by-hand':
      return { taken: line.takeByHand() };
    case 'put-by-hand':
      await line.putByHand(request.index);
      return {};
    case 'stick':
      line.stick(request.what, request.stuck);
      return {};
  }
}

/** @throws Error when others may read the file, or it holds no AES-128 key; never says what it holds. */
function readKey(path: string): Uint8Array {
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`others may read the key file: ${path}`);
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{32}$/i.test(text)) throw new Error(`not an AES-128 key in hexadecimal: ${path}`);
  return fromHex(text);
}

const [configPath] = process.argv.slice(2);
if (configPath === undefined) {
  process.stderr.write('usage: node board-main.js <config.json>\n');
  process.exit(2);
}
process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));
await main(configPath);
