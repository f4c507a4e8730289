/**
 * A process that holds the virtual chips of one station: `node host-main.js <config.json>`. It sits at vpcd's
 * port as a card and takes verbs (seat, account, contents, pull, replug) over a Unix socket.
 */
import { readFile } from 'node:fs/promises';
import { fromHex } from '../../../runtime/core/bytes.ts';
import type { MannerChoice } from './chip.ts';
import { openChipStore } from './chip-store.ts';
import { type ChipHost, createChipHost } from './host.ts';
import { openLineServer } from './line-server.ts';
import { isMannerName } from './mutants/table.ts';
import { createPlug, type Plug } from './plug.ts';

interface Configuration {
  readonly vpcdHost: string;
  readonly vpcdPort: number;
  readonly socketPath: string;
  readonly chipsDirectory: string;
  /** File with 32 bytes in hexadecimal. */
  readonly transportMasterFile: string;
  readonly transportKeyVersion: number;
  readonly seed: string;
  readonly eidPrefix?: string;
  /** Chips that are not honest or not usual, by index: `{"7": {"name": "torn-after", "at": 12}}`. */
  readonly manners?: Readonly<Record<number, MannerChoice>>;
}

await main(process.argv[2]);

async function main(configPath: string | undefined): Promise<void> {
  if (configPath === undefined) throw new RangeError('usage: host-main <config.json>');
  const config = parseConfiguration(await readFile(configPath, 'utf8'));
  const store = await openChipStore({ directory: config.chipsDirectory });
  const host = createChipHost({
    store,
    transportMaster: fromHex(await readFile(config.transportMasterFile, 'utf8')),
    transportKeyVersion: config.transportKeyVersion,
    seed: config.seed,
    ...(config.eidPrefix === undefined ? {} : { eidPrefix: config.eidPrefix }),
    ...(config.manners === undefined ? {} : { manners: config.manners }),
  });
  const plug = createPlug({ host: config.vpcdHost, port: config.vpcdPort, card: host.card, note });
  const server = await openLineServer({
    path: config.socketPath,
    serve: (line) => serve(host, plug, line),
  });
  await plug.insert();
  note({ event: 'ready', socketPath: config.socketPath, connected: plug.connected() });

  let ending = false;
  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    await server[Symbol.asyncDispose]();
    await plug.pull();
    await host.flush();
    process.exit(0);
  };
  const endOrFail = (): void => {
    end().catch((error: unknown) => {
      note({ event: 'failed', error: error instanceof Error ? error.message : String(error) });
      process.exit(1);
    });
  };
  process.on('SIGTERM', endOrFail);
  process.on('SIGINT', endOrFail);
  process.on('disconnect', endOrFail);
}

async function serve(host: ChipHost, plug: Plug, line: Readonly<Record<string, unknown>>): Promise<object> {
  switch (line.verb) {
    case 'seat':
      return host.seat(indexOf(line));
    case 'account':
      return host.account(indexOf(line));
    case 'contents':
      return host.contents(indexOf(line));
    case 'pull':
      await plug.pull();
      return {};
    case 'replug':
      await plug.insert();
      return { connected: plug.connected() };
    default:
      throw new RangeError('the verbs are seat, account, contents, pull and replug');
  }
}

function indexOf(line: Readonly<Record<string, unknown>>): number {
  if (!Number.isSafeInteger(line.index)) throw new RangeError('index: a whole number');
  return line.index as number;
}

/** @throws RangeError that names the key */
function parseConfiguration(text: string): Configuration {
  const found = JSON.parse(text) as Partial<Record<keyof Configuration, unknown>>;
  const string = (key: keyof Configuration): string => {
    const value = found[key];
    if (typeof value !== 'string') throw new RangeError(`${key}: a text`);
    return value;
  };
  const integer = (key: keyof Configuration, max: number): number => {
    const value = Number(found[key]);
    if (!Number.isInteger(value) || value < 1 || value > max) throw new RangeError(`${key}: 1 to ${max}`);
    return value;
  };
  return {
    vpcdHost: string('vpcdHost'),
    vpcdPort: integer('vpcdPort', 65_535),
    socketPath: string('socketPath'),
    chipsDirectory: string('chipsDirectory'),
    transportMasterFile: string('transportMasterFile'),
    transportKeyVersion: integer('transportKeyVersion', 0x7f),
    seed: string('seed'),
    ...(found.eidPrefix === undefined ? {} : { eidPrefix: string('eidPrefix') }),
    ...(found.manners === undefined ? {} : { manners: parseManners(found.manners) }),
  };
}

/** @throws RangeError that names the chip */
function parseManners(found: unknown): Readonly<Record<number, MannerChoice>> {
  if (typeof found !== 'object' || found === null) throw new RangeError('manners: chips by their index');
  const chosen = Object.entries(found).map(([index, value]): readonly [string, MannerChoice] => {
    const { name, at = 0 } = (value ?? {}) as { readonly name?: unknown; readonly at?: unknown };
    if (!/^\d+$/.test(index)) throw new RangeError(`manners: ${index} is no index of a chip`);
    if (typeof name !== 'string' || !isMannerName(name))
      throw new RangeError(`manners.${index}.name: one of the manners in README.md`);
    if (!Number.isSafeInteger(at)) throw new RangeError(`manners.${index}.at: a whole number`);
    return [index, { name, at: at as number }];
  });
  return Object.fromEntries(chosen);
}

/** One line of JSON per event; nothing that a chip holds. */
function note(event: Readonly<Record<string, string | number | boolean>>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
