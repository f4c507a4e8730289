import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  crc16,
  decodeBoardMessage,
  decodeHostMessage,
  encodeBoardMessage,
  encodeHostMessage,
  type HostMessage,
  packSevenBits,
  unpackSevenBits,
} from '../../drivers/jig/extension.ts';
import { type Bytes, fromText } from '../../runtime/core/bytes.ts';
import { lanes, reasons, reportKinds } from '../../runtime/core/gate/release.ts';

const sixBytes = fc.nat({ max: 2 ** 48 - 1 });
const sixteenBytes = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const query = fc.nat({ max: 255 });
const lane = fc.constantFrom(...lanes);

const plain = { noNullPrototype: true } as const;
const open = fc.record(
  {
    kind: fc.constant('open' as const),
    query,
    release: fc.record(
      {
        operation: fc.uuid(),
        epoch: fc.nat({ max: 2 ** 32 - 1 }),
        arrival: sixBytes,
        counter: sixBytes,
        lane,
        tag: sixteenBytes,
      },
      plain,
    ),
  },
  plain,
);
const report = fc.record(
  {
    kind: fc.constant('report' as const),
    query,
    report: fc.record(
      {
        kind: fc.constantFrom(...reportKinds),
        reason: fc.constantFrom(...reasons),
        gate: fc.constantFrom('closed' as const, 'open' as const),
        arrival: sixBytes,
        obeyed: sixBytes,
        left: fc.record({ arrival: sixBytes, counter: sixBytes, lane }, plain),
        mac: sixteenBytes,
      },
      plain,
    ),
  },
  plain,
);

function contentOf(frame: Bytes): Bytes {
  return frame.subarray(2, -1);
}

describe('our Firmata extension', () => {
  it('CRC-16/CCITT-FALSE of "123456789" is 29B1', () => {
    assert.equal(crc16(fromText('123456789')), 0x29b1);
  });

  it('packs any bytes into seven bits and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const packed = packSevenBits(bytes);
        assert.ok(packed.every((byte) => byte < 0x80));
        assert.deepEqual(unpackSevenBits(packed), bytes);
      }),
    );
  });

  it('reads back every release and every report', () => {
    fc.assert(
      fc.property(open, (message: HostMessage) => {
        assert.deepEqual(decodeHostMessage(contentOf(encodeHostMessage(message))), message);
      }),
    );
    fc.assert(
      fc.property(report, (message) => {
        assert.deepEqual(decodeBoardMessage(contentOf(encodeBoardMessage(message))), message);
      }),
    );
    const identity = { kind: 'identity', query: 9, version: 1, controller: 'gate-1', nest: 'n1' } as const;
    assert.deepEqual(decodeBoardMessage(contentOf(encodeBoardMessage(identity))), identity);
  });

  it('drops a frame with any one byte damaged', () => {
    fc.assert(
      fc.property(open, fc.nat(), fc.integer({ min: 1, max: 127 }), (message, where, flip) => {
        const content = Uint8Array.from(contentOf(encodeHostMessage(message)));
        const at = where % content.length;
        content[at] = (content[at] ?? 0) ^ flip;
        // The last byte has bits that belong to no byte of the body: flipping only those changes nothing.
        assert.ok(decodeHostMessage(content) === null || at === content.length - 1);
      }),
    );
  });

  it('fits a release into the 64 bytes of a stock Firmata parser', () => {
    const [message] = fc.sample(open, 1);
    assert.ok(message !== undefined && encodeHostMessage(message).length - 2 <= 64);
  });
});
