/**
 * What station and gate controller say beside Firmata, in the user sysex 0x01.
 *
 * Frame: `F0 01`, a command (7 bits), the body, `F7`. The body is packed from 8 to 7 bits, lowest bit first,
 * and ends with a CRC-16 (CCITT-FALSE, big endian) over command and body, so that a damaged frame is dropped
 * and never half understood. Numbers are big endian. Every question carries a number that the answer repeats;
 * 0 marks a report that nobody asked for.
 *
 * | command | from | body |
 * |---|---|---|
 * | 01 OPEN | host | query (1), operation (16), epoch (4), arrival (6), counter (6), lane (1), tag (16) |
 * | 02 STATUS | host | query (1) |
 * | 03 ALIVE | host | empty; like every byte, it re-arms the host time-out |
 * | 04 WHO | host | query (1) |
 * | 41 REPORT | board | query (1), kind, reason, gate open (1 each), arrival (6), obeyed (6), left arrival (6), counter (6), lane (1), MAC (16) |
 * | 42 IDENTITY | board | query (1), extension version (1), length and name of controller, length and name of nest |
 *
 * The names of controller and nest cross only once, in IDENTITY. OPEN leaves them out because tag and MAC
 * cover them: a release for another controller does not verify. So OPEN takes 62 bytes between F0 and F7
 * and fits the 64 bytes of a stock Firmata parser.
 *
 * @see https://github.com/firmata/protocol/blob/master/protocol.md (user sysex 00-0F)
 */
import {
  type Bytes,
  bigEndian,
  concat,
  fromHex,
  fromText,
  toHex,
  toNumber,
  toText,
} from '../../runtime/core/bytes.ts';
import { type ControllerReport, lanes, reasons, reportKinds } from '../../runtime/core/gate/release.ts';
import type { TaggedRelease } from '../../runtime/core/gate/tag.ts';

/** Sysex command of the extension. Firmata keeps 01 to 0F free for users. */
export const EXTENSION = 0x01;
export const EXTENSION_VERSION = 1;
/** Highest query number; 0 stands for "unasked". */
export const QUERY_MAX = 255;

/** A release as it crosses the wire: the controller adds its own names before it verifies the tag. */
export type WireRelease = Omit<TaggedRelease, 'controller' | 'nest'>;
export type WireReport = Omit<ControllerReport, 'controller' | 'nest' | 'mac'> & { readonly mac: string };

export type HostMessage =
  | { readonly kind: 'open'; readonly query: number; readonly release: WireRelease }
  | { readonly kind: 'status' | 'who'; readonly query: number }
  | { readonly kind: 'alive' };

export type BoardMessage =
  | { readonly kind: 'report'; readonly query: number; readonly report: WireReport }
  | {
      readonly kind: 'identity';
      readonly query: number;
      readonly version: number;
      readonly controller: string;
      readonly nest: string;
    };

const Command = { open: 0x01, status: 0x02, alive: 0x03, who: 0x04, report: 0x41, identity: 0x42 } as const;

const OPEN_BYTES = 1 + 16 + 4 + 6 + 6 + 1 + 16;
const REPORT_BYTES = 1 + 3 + 4 * 6 + 1 + 16;

/** The whole frame, `F0` to `F7`. */
export function encodeHostMessage(message: HostMessage): Bytes {
  switch (message.kind) {
    case 'alive':
      return frame(Command.alive, new Uint8Array());
    case 'status':
    case 'who':
      return frame(Command[message.kind], Uint8Array.of(message.query));
    case 'open': {
      const { release } = message;
      return frame(
        Command.open,
        concat(
          Uint8Array.of(message.query),
          fromHex(release.operation.replaceAll('-', '')),
          bigEndian(release.epoch, 4),
          bigEndian(release.arrival, 6),
          bigEndian(release.counter, 6),
          Uint8Array.of(lanes.indexOf(release.lane)),
          fromHex(release.tag),
        ),
      );
    }
  }
}

/** @param content what stands between `F0 01` and `F7`. Null when it is damaged or of another version. */
export function decodeHostMessage(content: Bytes): HostMessage | null {
  const opened = unframe(content);
  if (opened === null) return null;
  const { command, body } = opened;
  const query = body[0] ?? 0;
  if (command === Command.alive) return { kind: 'alive' };
  if (command === Command.status && body.length === 1) return { kind: 'status', query };
  if (command === Command.who && body.length === 1) return { kind: 'who', query };
  const lane = lanes[body[33] ?? lanes.length];
  if (command !== Command.open || body.length !== OPEN_BYTES || lane === undefined) return null;
  return {
    kind: 'open',
    query,
    release: {
      operation: uuidOf(body.subarray(1, 17)),
      epoch: toNumber(body.subarray(17, 21)),
      arrival: toNumber(body.subarray(21, 27)),
      counter: toNumber(body.subarray(27, 33)),
      lane,
      tag: toHex(body.subarray(34, 50)),
    },
  };
}

/** The whole frame, `F0` to `F7`. */
export function encodeBoardMessage(message: BoardMessage): Bytes {
  if (message.kind === 'identity')
    return frame(
      Command.identity,
      concat(
        Uint8Array.of(message.query, message.version),
        ...[message.controller, message.nest].flatMap((text) => [Uint8Array.of(text.length), fromText(text)]),
      ),
    );
  const { query, report } = message;
  return frame(
    Command.report,
    concat(
      Uint8Array.of(
        query,
        reportKinds.indexOf(report.kind),
        reasons.indexOf(report.reason),
        report.gate === 'open' ? 1 : 0,
      ),
      bigEndian(report.arrival, 6),
      bigEndian(report.obeyed, 6),
      bigEndian(report.left.arrival, 6),
      bigEndian(report.left.counter, 6),
      Uint8Array.of(lanes.indexOf(report.left.lane)),
      fromHex(report.mac),
    ),
  );
}

/** @param content what stands between `F0 01` and `F7`. Null when it is damaged or of another version. */
export function decodeBoardMessage(content: Bytes): BoardMessage | null {
  const opened = unframe(content);
  if (opened === null) return null;
  const { command, body } = opened;
  if (command === Command.identity) return identityOf(body);
  const kind = reportKinds[body[1] ?? reportKinds.length];
  const reason = reasons[body[2] ?? reasons.length];
  const lane = lanes[body[28] ?? lanes.length];
  if (command !== Command.report || body.length !== REPORT_BYTES) return null;
  if (kind === undefined || reason === undefined || lane === undefined) return null;
  return {
    kind: 'report',
    query: body[0] ?? 0,
    report: {
      kind,
      reason,
      gate: body[3] === 1 ? 'open' : 'closed',
      arrival: toNumber(body.subarray(4, 10)),
      obeyed: toNumber(body.subarray(10, 16)),
      left: { arrival: toNumber(body.subarray(16, 22)), counter: toNumber(body.subarray(22, 28)), lane },
      mac: toHex(body.subarray(29, 45)),
    },
  };
}

function identityOf(body: Bytes): BoardMessage | null {
  const controllerEnd = 3 + (body[2] ?? 0);
  const nestEnd = controllerEnd + 1 + (body[controllerEnd] ?? 0);
  if (nestEnd !== body.length) return null;
  return {
    kind: 'identity',
    query: body[0] ?? 0,
    version: body[1] ?? 0,
    controller: toText(body.subarray(3, controllerEnd)),
    nest: toText(body.subarray(controllerEnd + 1, nestEnd)),
  };
}

function frame(command: number, body: Bytes): Bytes {
  const check = bigEndian(crc16(concat(Uint8Array.of(command), body)), 2);
  return concat(
    Uint8Array.of(0xf0, EXTENSION, command),
    packSevenBits(concat(body, check)),
    Uint8Array.of(0xf7),
  );
}

function unframe(content: Bytes): { readonly command: number; readonly body: Bytes } | null {
  const command = content[0];
  const packed = content.subarray(1);
  if (command === undefined || packed.some((byte) => byte > 0x7f)) return null;
  const whole = unpackSevenBits(packed);
  if (whole.length < 2) return null;
  const body = whole.subarray(0, -2);
  const check = toNumber(whole.subarray(-2));
  return check === crc16(concat(Uint8Array.of(command), body)) ? { command, body } : null;
}

/** Eight-bit bytes as seven-bit ones, lowest bit first, the rest of the last one zero. */
export function packSevenBits(bytes: Bytes): Bytes {
  const packed: number[] = [];
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held |= byte << bits;
    bits += 8;
    for (; bits >= 7; bits -= 7, held >>= 7) packed.push(held & 0x7f);
  }
  if (bits > 0) packed.push(held);
  return Uint8Array.from(packed);
}

/** The reverse of `packSevenBits`; bits that do not fill a byte fall away. */
export function unpackSevenBits(packed: Bytes): Bytes {
  const bytes = new Uint8Array(Math.floor((packed.length * 7) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const seven of packed) {
    held |= seven << bits;
    bits += 7;
    if (bits >= 8) {
      bytes[at++] = held & 0xff;
      held >>= 8;
      bits -= 8;
    }
  }
  return bytes;
}

/** CRC-16/CCITT-FALSE: polynomial 1021, start FFFF. "123456789" gives 29B1. */
export function crc16(bytes: Bytes): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x1021)) & 0xffff;
  }
  return crc;
}

function uuidOf(bytes: Bytes): string {
  const text = toHex(bytes);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join(
    '-',
  );
}
