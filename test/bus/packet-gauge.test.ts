/** The gauge at the door of the bus: the same verdict however the bytes were cut, and at the head of a packet already. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPacketGauge, PACKET_BYTES_MAX } from '../../drivers/bus/packet-gauge.ts';
import { lengthBytes, pingresp, puback, publish } from '../hostile/wire/packets.ts';

/** The verdict on bytes that come so many at a time. */
function judged(bytes: Buffer, atATime: number): string | null {
  const gauge = createPacketGauge();
  for (let at = 0; at < bytes.length; at += atATime) {
    const wrong = gauge(bytes.subarray(at, at + atATime));
    if (wrong !== null) return wrong;
  }
  return null;
}

const body = (length: number): Buffer => Buffer.concat([Buffer.of(0x30), lengthBytes(length)]);
const good = [pingresp(), publish('a/b', Buffer.alloc(300, 0x34)), puback(7), publish('c', Buffer.alloc(0))];

describe('the gauge of packets', () => {
  it('lets pass what an honest broker sends, cut anywhere', () => {
    const stream = Buffer.concat([
      ...good,
      publish('d', Buffer.alloc(40_000, 0xff), { qos: 1, id: 9 }),
      ...good,
    ]);
    for (const atATime of [1, 2, 3, 7, 64, 4_096, stream.length])
      assert.equal(judged(stream, atATime), null, `${atATime} at a time`);
  });

  it('lets pass the largest packet, and refuses one that is a byte longer before its body has come', () => {
    assert.equal(judged(body(PACKET_BYTES_MAX), 1), null);
    for (const atATime of [1, 2, 64])
      assert.equal(judged(body(PACKET_BYTES_MAX + 1), atATime), 'packet too large');
  });

  it('finds the head that is wrong behind packets that are not', () => {
    const wrong: readonly (readonly [Buffer, string])[] = [
      [body(200_000_000), 'packet too large'],
      [Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01), 'length without an end'],
      [publish('a', Buffer.alloc(3), { qos: 2, id: 1 }), 'message above QoS 1'],
      [publish('a', Buffer.alloc(3), { qos: 3, id: 1 }), 'message above QoS 1'],
    ];
    for (const [bytes, why] of wrong)
      for (const atATime of [1, 5, 10_000])
        assert.equal(judged(Buffer.concat([...good, bytes]), atATime), why);
  });
});
