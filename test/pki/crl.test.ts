import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { verifiesUnder } from '../../runtime/core/pki/algorithm.ts';
import { issuerFrom } from '../../runtime/core/pki/authority.ts';
import {
  assembleCrl,
  type CrlEntry,
  crlToBeSigned,
  entriesBytes,
  parseCrl,
  reasonNames,
} from '../../runtime/core/pki/crl.ts';
import { toPem } from '../../runtime/core/pki/pem.ts';
import { serialFrom } from '../../runtime/core/pki/profile.ts';
import { DAY_MS, makeAuthority, makeCrl, NOW_MS } from './hierarchy.ts';
import { openOpenssl } from './openssl.ts';

const openssl = openOpenssl();
after(() => openssl.close());
const root = makeAuthority('CRL root', null);
const line = makeAuthority('CRL line', root, { algorithm: 'es384' });
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const entries: fc.Arbitrary<CrlEntry> = fc.record({
  serial: bytes(16).map(serialFrom),
  revokedAtMs: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
  reason: fc.constantFrom(...reasonNames),
});
const intentOf = (list: readonly CrlEntry[], number = 7) => ({
  issuer: issuerFrom(line.parsed),
  number,
  thisUpdateMs: NOW_MS,
  nextUpdateMs: NOW_MS + 30 * DAY_MS,
  entries: list,
});

describe('a certificate revocation list', () => {
  it('is read back as it was meant', () => {
    fc.assert(
      fc.property(
        fc.array(entries, { maxLength: 20 }),
        fc.integer({ min: 1, max: 2 ** 40 }),
        (list, number) => {
          const tbs = crlToBeSigned(intentOf(list, number));
          const crl = parseCrl(assembleCrl(tbs, new Uint8Array(96).fill(1)));
          assert.equal(crl.number, number);
          assert.deepEqual([crl.thisUpdateMs, crl.nextUpdateMs], [NOW_MS, NOW_MS + 30 * DAY_MS]);
          for (const { serial, revokedAtMs, reason } of list)
            assert.deepEqual(crl.entries.get(toHex(serial)), { revokedAtMs, reason });
          assert.equal(crl.entries.size, new Set(list.map(({ serial }) => toHex(serial))).size);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('cut, or with any byte changed, is refused or read, and never verifies', () => {
    const crl = makeCrl(line, [new Uint8Array(16).fill(0x55)]);
    for (const [i] of crl.entries()) {
      const spoilt = crl.map((byte, at) => (at === i ? byte ^ 0x10 : byte));
      try {
        const { tbs, signature, algorithm } = parseCrl(spoilt);
        assert.ok(algorithm !== 'es384' || !verifiesUnder(nodeCrypto, line.key.publicKey, tbs, signature));
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
      assert.throws(() => parseCrl(crl.subarray(0, i)), RangeError);
    }
  });

  it('is read by OpenSSL under the one label that it knows: number, key identifier, reasons', async () => {
    const tbs = crlToBeSigned(
      intentOf([
        { serial: new Uint8Array(16).fill(0x41), revokedAtMs: NOW_MS, reason: 'superseded' },
        { serial: new Uint8Array(16).fill(0x42), revokedAtMs: NOW_MS, reason: 'unspecified' },
      ]),
    );
    const pem = toPem('X509 CRL', assembleCrl(tbs, line.key.signNow(tbs)));
    const text = await openssl.print(['crl', '-noout', '-text'], pem);
    for (const said of [/Version 2/, /CRL Number: *\n *7\n/, /Authority Key Identifier/, /ecdsa-with-SHA384/])
      assert.match(text, said);
    assert.equal(text.match(/Superseded/g)?.length, 1);
    // RFC 5280 section 5.3.1: `unspecified` is told by the absence of a reason.
    assert.equal(text.match(/Reason Code/g)?.length, 1);
  });

  it('RFC 5280 section 5.1.2.6: without entries it has no list of entries', async () => {
    const pem = toPem('X509 CRL', makeCrl(line, []));
    assert.match(await openssl.print(['crl', '-noout', '-text'], pem), /No Revoked Certificates/);
  });

  it('takes 49 bytes for each certificate, twenty thousand of them too', async () => {
    const list = Array.from({ length: 20_000 }, (_, i) => ({
      serial: serialFrom(
        Uint8Array.from({ length: 16 }, (_, k) => (k > 11 ? (i >>> (8 * (15 - k))) & 0xff : 0x55)),
      ),
      revokedAtMs: NOW_MS,
      reason: 'keyCompromise' as const,
    }));
    assert.equal(entriesBytes(list), 980_000);
    const tbs = crlToBeSigned(intentOf(list));
    const empty = crlToBeSigned(intentOf([]));
    assert.ok(tbs.length - empty.length - 980_000 < 16);
    const crl = assembleCrl(tbs, line.key.signNow(tbs));
    assert.equal(parseCrl(crl).entries.size, 20_000);
    const issuer = await openssl.print(['crl', '-noout', '-crlnumber'], toPem('X509 CRL', crl));
    assert.match(issuer, /crlNumber=0x07/i);
  });
});
