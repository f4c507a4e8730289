/** For tests: the firmware in its chip, with a nest whose contacts are set by hand and a host that says what it likes. */
import { nodeCrypto } from '../../../drivers/crypto/node.ts';
import { type Sensor, sensors, tagOf } from '../../../drivers/jig/controller/gate-controller.ts';
import { gateValvePins, sensorPins } from '../../../drivers/jig/controller/pin-map.ts';
import {
  type BoardMessage,
  decodeBoardMessage,
  EXTENSION,
  encodeHostMessage,
  type WireReport,
} from '../../../drivers/jig/extension.ts';
import { type Bytes, fromHex, toHex } from '../../../runtime/core/bytes.ts';
import { cmac } from '../../../runtime/core/crypto/cmac.ts';
import { type Lane, lanes, type Release, reportBytes } from '../../../runtime/core/gate/release.ts';
import type { TaggedRelease } from '../../../runtime/core/gate/tag.ts';
import { buildFirmware, lackingCompiler } from '../../../scripts/firmware/build.ts';
import { type Commissioning, eepromImage } from '../../../scripts/firmware/eeprom-image.ts';
import { TAG_KEY } from '../board-rig.ts';
import { type Chip, createChip } from './chip.ts';
import type { Torn } from './tearable-eeprom.ts';

export const HOST_TIMEOUT_MS = 250;
export const OPEN_TIMEOUT_MS = 1_000;
/** From power on until the announcement and the first reports have been sent. */
export const BOOT_MS = 180;
/** Longer than a release takes over the line, under the CMAC and into the EEPROM. */
const ANSWER_MS = 300;
const commissioning: Commissioning = {
  controller: 'gate-1',
  nest: 'n1',
  tagKey: fromHex(TAG_KEY),
  hostTimeoutMs: HOST_TIMEOUT_MS,
  openTimeoutMs: OPEN_TIMEOUT_MS,
  boots: 7,
};

/** Options of a `describe` that needs the compiler: its reason when it is not there. */
export const needsCompiler = ((reason) => (reason === null ? {} : { skip: reason }))(lackingCompiler());
export const cipher = (block: Bytes): Bytes => nodeCrypto.aesEncryptBlock(fromHex(TAG_KEY), block);

export interface Opening {
  readonly lane: Lane;
  readonly atMs: number;
}

export interface Stand {
  readonly chip: Chip;
  /** Every rise of a gate pin since the beginning: the witness. */
  readonly openings: readonly Opening[];
  /** Whether a gate pin is driven HIGH. */
  isOpen(): boolean;
  set(sensor: Sensor, active: boolean): void;
  /** From here on the position switches follow the valves. */
  follow(): void;
  /** Puts a unit in, lets it come to rest and returns its name; the clamp is open. */
  arrive(): number;
  /** Says bytes and returns what the board answers until it is silent. */
  say(bytes: Bytes | string): string;
  /** Everything said since the last call. */
  bytes(): Bytes;
  /** Every report and identity since the last call. */
  heard(): readonly BoardMessage[];
  /** Reports since the last call. */
  reports(): readonly WireReport[];
  status(): WireReport;
  /** Asks to open and returns the answer. */
  open(release: WireRelease): WireReport;
  /** Lets time pass under a host that is alive. */
  live(ms: number): void;
  /** Power goes and comes back, and the board boots. */
  reboot(torn?: Torn): void;
}

type WireRelease = Parameters<typeof wireOf>[0];

export function startStand(
  hex = buildFirmware().hex,
  about: Partial<Commissioning> = {},
  isWorn?: (place: number) => boolean,
): Stand {
  const openings: Opening[] = [];
  let following = false;
  let said: number[] = [];
  let bytes: number[] = [];
  const chip: Chip = createChip({
    hex,
    eeprom: eepromImage({ ...commissioning, ...about }),
    ...(isWorn === undefined ? {} : { isWorn }),
    onByte: (byte) => {
      said.push(byte);
      bytes.push(byte);
    },
    onPin: (pin, level) => {
      for (const lane of lanes) {
        if (pin !== gateValvePins[lane]) continue;
        if (level === 1) openings.push({ lane, atMs: chip.nowMs() });
        if (following) set(`gate-${lane}-closed`, level !== 1);
      }
    },
  });
  const set = (sensor: Sensor, active: boolean): void => chip.setPin(sensorPins[sensor], active ? 0 : 1);
  for (const sensor of sensors) set(sensor, sensor.startsWith('gate-') || sensor === 'clamp-closed');
  chip.run(BOOT_MS);
  const say = (words: Bytes | string): string => {
    bytes = [];
    chip.say(typeof words === 'string' ? fromHex(words) : words);
    for (let before = -1; before !== bytes.length; ) {
      before = bytes.length;
      chip.run(25);
    }
    return toHex(Uint8Array.from(bytes));
  };
  const allSaid = (): Bytes => {
    const all = Uint8Array.from(said);
    said = [];
    return all;
  };
  const heard = (): readonly BoardMessage[] => {
    return messagesIn(allSaid());
  };
  const reports = (): readonly WireReport[] =>
    heard().flatMap((message) => (message.kind === 'report' ? [message.report] : []));
  const answer = (words: Bytes, query: number): WireReport => {
    chip.say(words);
    for (let waited = 0; waited < ANSWER_MS; waited += 10) {
      chip.run(10);
      for (const message of messagesIn(Uint8Array.from(said)))
        if (message.kind === 'report' && message.query === query) {
          heard();
          return message.report;
        }
    }
    throw new Error('the board did not answer');
  };
  const status = (): WireReport => answer(encodeHostMessage({ kind: 'status', query: 9 }), 9);
  return {
    chip,
    openings,
    isOpen: () => lanes.some((lane) => chip.pin(gateValvePins[lane]) === 1),
    set,
    follow: () => {
      following = true;
    },
    arrive: () => {
      set('clamp-closed', false);
      set('clamp-open', true);
      set('presence', true);
      chip.run(30);
      return status().arrival;
    },
    say,
    bytes: allSaid,
    heard,
    reports,
    status,
    open: (release) => answer(wireOf(release), 77),
    live: (ms) => {
      for (let passed = 0; passed < ms; passed += 50) {
        chip.say(encodeHostMessage({ kind: 'alive' }));
        chip.run(Math.min(50, ms - passed));
      }
    },
    reboot: (torn) => {
      chip.powerCycle(torn);
      chip.run(BOOT_MS);
    },
  };
}

/** A release under the true key, for the good lane unless said otherwise. */
export function releaseFor(
  about: Partial<Omit<Release, 'tag'>> & Pick<Release, 'arrival' | 'counter'>,
): TaggedRelease {
  const blank = { controller: 'gate-1', nest: 'n1', lane: 'good', epoch: 1 } as const;
  const release = { ...blank, operation: '01930000-0000-7000-8000-00000000abcd', ...about };
  return { ...release, tag: tagOf(cipher, release) };
}

export function wireOf(release: TaggedRelease): Bytes {
  return encodeHostMessage({ kind: 'open', query: 77, release });
}

export function isGenuine(report: WireReport): boolean {
  return report.mac === toHex(cmac(cipher, reportBytes({ ...report, controller: 'gate-1', nest: 'n1' })));
}

function messagesIn(bytes: Bytes): readonly BoardMessage[] {
  const messages: BoardMessage[] = [];
  for (let at = bytes.indexOf(0xf0); at >= 0; at = bytes.indexOf(0xf0, at + 1)) {
    const end = bytes.indexOf(0xf7, at);
    const message =
      bytes[at + 1] === EXTENSION && end > 0 ? decodeBoardMessage(bytes.subarray(at + 2, end)) : null;
    if (message !== null) messages.push(message);
  }
  return messages;
}
