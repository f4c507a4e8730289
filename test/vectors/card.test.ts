import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import {
  fromBase64,
  fromHex,
  fromText,
  toBase64,
  toBase64Url,
  toHex,
  toText,
} from '../../runtime/core/bytes.ts';
import { exchange } from '../../runtime/core/card/apdu.ts';
import { decodeKeyTemplate } from '../../runtime/core/card/global-platform.ts';
import { decodeTlv, encodeTlv } from '../../runtime/core/card/tlv.ts';
import { isEid, withCheckDigits } from '../../runtime/core/eid.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { instantMs, instantOf } from '../../runtime/core/instant.ts';
import { vectorsOf } from './vectors.ts';

describe('SGP.29 section 10: check digits of an EID', () => {
  for (const { id, inputs, expected } of vectorsOf('eid-check'))
    it(id, () => {
      if (inputs.eid30 !== undefined) assert.equal(withCheckDigits(inputs.eid30), expected.eid);
      else assert.equal(isEid(inputs.eid), expected.valid);
    });
});

describe('GPCS 2.3.1 section 11.3.3.1: key information', () => {
  for (const { id, inputs, expected } of vectorsOf('gp-keyinfo'))
    it(id, () => {
      const keys = decodeKeyTemplate(fromHex(inputs.hex)).map((key) => ({
        kid: key.keyId,
        kvn: key.keyVersion,
        components: key.components.map(({ type, length }) => ({ type, length })),
      }));
      assert.deepEqual(keys, expected.keys);
    });
});

describe('signatures', () => {
  for (const { id, inputs, expected } of vectorsOf('ecdsa-p256').filter((v) => v.inputs.format === 'p1363'))
    it(`ECDSA P-256, r || s: ${id}`, () => {
      const valid = nodeCrypto.verifyP256(
        fromHex(inputs.publicKey),
        fromHex(inputs.msg),
        fromHex(inputs.sig),
      );
      assert.equal(valid, expected.valid);
    });
  for (const { id, inputs, expected } of vectorsOf('ed25519'))
    it(`Ed25519: ${id}`, () => {
      const valid = nodeCrypto.verifyEd25519(
        fromHex(inputs.publicKey),
        fromHex(inputs.msg),
        fromHex(inputs.sig),
      );
      assert.equal(valid, expected.valid);
    });
});

describe('codecs', () => {
  const bytes = fc.uint8Array({ maxLength: 600 });

  it('BER-TLV comes back as it was written', () => {
    fc.assert(
      fc.property(fc.constantFrom('5A', '9F7F', '5FC101', 'E0'), bytes, (tag, value) => {
        const [object, ...rest] = decodeTlv(encodeTlv(tag, value));
        return rest.length === 0 && object?.tag === tag && toHex(object.value) === toHex(value);
      }),
    );
  });

  it('any bytes are a list of objects or a fault, nothing else', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          decodeTlv(input);
        } catch (error) {
          assert.ok(isFault(error), String(error));
        }
      }),
    );
  });

  it('base64, hexadecimal and UTF-8 agree with node:buffer', () => {
    fc.assert(
      fc.property(bytes, fc.string({ unit: 'grapheme', maxLength: 50 }), (input, text) => {
        const buffer = Buffer.from(input);
        assert.equal(toBase64(input), buffer.toString('base64'));
        assert.equal(toBase64Url(input), buffer.toString('base64url'));
        assert.equal(toHex(fromBase64(toBase64Url(input))), buffer.toString('hex'));
        assert.equal(toHex(fromText(text)), Buffer.from(text, 'utf8').toString('hex'));
        assert.equal(toText(fromText(text)), text);
      }),
    );
  });

  it('times agree with Date from 1970 to 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
        assert.equal(instantOf(ms), new Date(ms).toISOString());
        assert.equal(instantMs(instantOf(ms)), ms);
      }),
    );
  });
});

describe('ISO/IEC 7816-4: 61xx and 6Cxx', () => {
  const run = (command: string, answers: readonly string[]) => {
    const sent: string[] = [];
    const script = exchange(fromHex(command));
    let next = script.next();
    for (const answer of answers) {
      if (next.done) break;
      sent.push(toHex(next.value));
      next = script.next(fromHex(answer));
    }
    assert.ok(next.done);
    return { sent, answer: toHex(next.value.answer), frames: next.value.wire.length };
  };

  it('61xx is followed by GET RESPONSE in clear until all has come', () => {
    const done = run('80ca9f7f00', ['01026103', '0304056102', '06079000']);
    assert.deepEqual(done.sent, ['80ca9f7f00', '00c0000003', '00c0000002']);
    assert.equal(done.answer, '010203040506079000');
  });

  it('6Cxx repeats the command with the length the card wants', () => {
    const done = run('80ca9f7f00', ['6c2a', '01029000']);
    assert.deepEqual(done.sent, ['80ca9f7f00', '80ca9f7f2a']);
    assert.equal(done.answer, '01029000');
  });

  it('6Cxx a second time is an answer, not a loop', () => {
    assert.equal(run('80ca9f7f00', ['6c2a', '6c2b']).frames, 2);
  });
});
