/**
 * Looks at the head of each packet that a broker sends, before anything is gathered: what no honest broker sends us
 * ends the connection, so that a hostile one cannot fill our memory.
 *
 * @see MQTT 5.0 section 2.1.1 (fixed header), 3.1.2.11.4 (Maximum Packet Size), 3.3.1.2 (QoS of a PUBLISH)
 */
import type { Bytes } from '../../runtime/core/bytes.ts';
import { MESSAGE_BYTES_MAX } from '../../runtime/core/messages/channel.ts';

/** The largest message, with room for its topic and its properties. Told to the broker in CONNECT. */
export const PACKET_BYTES_MAX = MESSAGE_BYTES_MAX + 4096;

/** Bytes of a remaining length. Section 1.5.5. */
const LENGTH_BYTES_MAX = 4;
const PUBLISH = 0x30;
const QOS_MASK = 0x06;
const QOS_2 = 0x04;

/** Takes the bytes of one connection in their order; answers what is wrong with a packet as soon as its head is there. */
export type PacketGauge = (chunk: Bytes) => string | null;

export function createPacketGauge(bytesMax = PACKET_BYTES_MAX): PacketGauge {
  let lengthBytes = -1; // -1: the next byte is the first of a packet.
  let length = 0;
  let rest = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (rest > 0) {
        const taken = Math.min(rest, chunk.length - at);
        rest -= taken;
        at += taken;
        continue;
      }
      const byte = chunk[at++] ?? 0;
      if (lengthBytes < 0) {
        // Nothing is subscribed above QoS 1; messages of QoS 2 would be kept until the broker lets go of them.
        if ((byte & 0xf0) === PUBLISH && (byte & QOS_MASK) >= QOS_2) return 'message above QoS 1';
        lengthBytes = 0;
        length = 0;
        continue;
      }
      length += (byte & 0x7f) * 128 ** lengthBytes;
      lengthBytes += 1;
      if (length > bytesMax) return 'packet too large';
      if ((byte & 0x80) !== 0) {
        if (lengthBytes === LENGTH_BYTES_MAX) return 'length without an end';
        continue;
      }
      rest = length;
      lengthBytes = -1;
    }
    return null;
  };
}
