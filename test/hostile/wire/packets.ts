/**
 * As much of MQTT 5 as a broker needs that speaks with our clients: packets as bytes, both ways.
 *
 * @see MQTT 5.0 section 2 (packet format), section 3 (packets)
 */

/** Section 2.1.2. */
export const PacketType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  subscribe: 8,
  suback: 9,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

export interface Packet {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** Cuts a stream into packets; keeps what is not whole yet. */
export function createPacketCutter(): (chunk: Buffer) => readonly Packet[] {
  let waiting: Buffer = Buffer.alloc(0);
  return (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    const packets: Packet[] = [];
    for (;;) {
      const length = waiting.length > 1 ? variable(waiting, 1) : null;
      if (length === null || waiting.length < length.end + length.value) return packets;
      const first = waiting[0] ?? 0;
      const body = waiting.subarray(length.end, length.end + length.value);
      packets.push({ type: first >> 4, flags: first & 15, body });
      waiting = waiting.subarray(length.end + length.value);
    }
  };
}

/** A variable byte integer; null when it is not whole. Section 1.5.5. */
function variable(bytes: Buffer, at: number): { readonly value: number; readonly end: number } | null {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 128 ** i;
    if ((byte & 0x80) === 0) return { value, end: at + i + 1 };
  }
  return null;
}

export function lengthBytes(length: number): Buffer {
  const bytes: number[] = [];
  for (let rest = length; bytes.length === 0 || rest > 0; rest = Math.floor(rest / 128))
    bytes.push((rest % 128) + (rest >= 128 ? 0x80 : 0));
  return Buffer.from(bytes);
}

export function packet(type: number, flags: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of((type << 4) | flags), lengthBytes(body.length), body]);
}

const word = (value: number): Buffer => Buffer.of(value >> 8, value & 255);
const text = (value: string): Buffer => Buffer.concat([word(Buffer.byteLength(value)), Buffer.from(value)]);

/** The client's name. Section 3.1.3.1. */
export function clientIdOf({ body }: Packet): string {
  const properties = variable(body, 10) ?? { value: 0, end: 11 };
  const at = properties.end + properties.value;
  return body.subarray(at + 2, at + 2 + body.readUInt16BE(at)).toString();
}

export function packetIdOf({ body }: Packet): number {
  return body.readUInt16BE(0);
}

/** Section 3.8.3. */
export function filtersOf({ body }: Packet): readonly string[] {
  const properties = variable(body, 2) ?? { value: 0, end: 3 };
  const filters: string[] = [];
  for (let at = properties.end + properties.value; at < body.length; ) {
    const size = body.readUInt16BE(at);
    filters.push(body.subarray(at + 2, at + 2 + size).toString());
    at += 3 + size;
  }
  return filters;
}

export interface Published {
  readonly topic: string;
  readonly payload: Buffer;
  /** Null with QoS 0. */
  readonly id: number | null;
}

/** Section 3.3. */
export function publishedIn({ flags, body }: Packet): Published {
  const size = body.readUInt16BE(0);
  const topic = body.subarray(2, 2 + size).toString();
  const id = (flags & 6) === 0 ? null : body.readUInt16BE(2 + size);
  const after = 2 + size + (id === null ? 0 : 2);
  const properties = variable(body, after) ?? { value: 0, end: after + 1 };
  return { topic, id, payload: body.subarray(properties.end + properties.value) };
}

const NO_PROPERTIES = Buffer.of(0);

export const connack = (reason = 0, properties: Uint8Array = NO_PROPERTIES): Buffer =>
  packet(PacketType.connack, 0, Buffer.of(0, reason), properties);
export const puback = (id: number, reason = 0): Buffer =>
  packet(PacketType.puback, 0, word(id), Buffer.of(reason));
export const suback = (id: number, reasons: readonly number[]): Buffer =>
  packet(PacketType.suback, 0, word(id), NO_PROPERTIES, Buffer.from(reasons));
export const pingresp = (): Buffer => packet(PacketType.pingresp, 0);
export const disconnect = (reason: number): Buffer => packet(PacketType.disconnect, 0, Buffer.of(reason));
export const publish = (topic: string, payload: Uint8Array, { qos = 0, id = 1 } = {}): Buffer =>
  packet(
    PacketType.publish,
    qos << 1,
    text(topic),
    qos === 0 ? new Uint8Array(0) : word(id),
    NO_PROPERTIES,
    payload,
  );
