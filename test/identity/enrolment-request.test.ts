/** What the bus authority believes of a request: both keys have signed, and they are two. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { equal, fromBase64, toBase64, toHex } from '../../runtime/core/bytes.ts';
import { isFault } from '../../runtime/core/faults.ts';
import {
  askEnrolment,
  codeProof,
  enrolmentRequest,
  enrolmentSubject,
  readEnrolment,
} from '../../runtime/core/messages/enrolment.ts';
import { codeOf, type RegisterEntry } from '../../runtime/core/messages/enrolment-register.ts';
import { payloadOf, seal } from '../../runtime/core/messages/envelope.ts';
import { assemblePartyRequest, partyRequestInfo } from '../../runtime/core/pki/party-request.ts';

const entropy = createSimulatedEntropy('enrolment requests');
const signer = () => createSoftwareSigner(privateKeyFrom(entropy.bytes(40)));
const [tls, envelope, stranger] = [signer(), signer(), signer()];
const AT = '2026-11-22T12:00:00.000Z';
const NOW = Date.parse(AT);
const asked = { station: 'station-1', requestedAt: AT };
const nobody = { code: null, present: null };

/** A good request with something changed, signed again by its envelope key. */
async function changed(
  change: Partial<NonNullable<ReturnType<typeof payloadOf<typeof enrolmentRequest.payload>>>>,
  by = envelope,
): Promise<string> {
  const good = payloadOf(enrolmentRequest, await askEnrolment(asked, { tls, envelope }, nobody, nodeCrypto));
  assert.ok(good !== null);
  return seal(enrolmentRequest, { ...good, ...change }, by, nodeCrypto);
}

function refusalOf(jws: string): string {
  try {
    readEnrolment(jws, nodeCrypto);
  } catch (error) {
    assert.ok(isFault(error) && error.code === 'ENROLMENT_REFUSED', String(error));
    return String(error.context.why);
  }
  return assert.fail('it was believed');
}

describe('an enrolment request', () => {
  it('names the station and the two keys that signed it', async () => {
    const read = readEnrolment(await askEnrolment(asked, { tls, envelope }, nobody, nodeCrypto), nodeCrypto);
    assert.equal(read.station, 'station-1');
    assert.ok(equal(read.tlsKey, tls.publicKey) && equal(read.envelopeKey, envelope.publicKey));
  });

  it('is refused when it claims a key for the broker that did not sign', async () => {
    const info = partyRequestInfo('station-1', tls.publicKey);
    const forged = assemblePartyRequest(info, await stranger.sign(info));
    assert.match(refusalOf(await changed({ tlsRequest: toBase64(forged) })), /did not sign the certificate/);
  });

  it('is refused when it claims an envelope key that did not sign', async () => {
    const envelopeKey = toHex(envelope.publicKey);
    assert.match(refusalOf(await changed({ envelopeKey }, stranger)), /envelope key did not sign/);
  });

  it('is refused when its certificate request names another station, or more than a name', async () => {
    const info = partyRequestInfo('station-2', tls.publicKey);
    const other = assemblePartyRequest(info, await tls.sign(info));
    assert.match(refusalOf(await changed({ tlsRequest: toBase64(other) })), /names station-2/);
    const good = payloadOf(enrolmentRequest, await changed({}))?.tlsRequest ?? '';
    const spoilt = fromBase64(good).slice();
    spoilt[12] = (spoilt[12] ?? 0) ^ 1;
    assert.match(refusalOf(await changed({ tlsRequest: toBase64(spoilt) })), /certificate request|names/);
  });

  it('is refused with one key for two purposes', async () => {
    assert.match(refusalOf(await askEnrolment(asked, { tls, envelope: tls }, nobody, nodeCrypto)), /one key/);
  });

  it('is not believed when a bit of it was flipped', async () => {
    const jws = await askEnrolment(asked, { tls, envelope }, nobody, nodeCrypto);
    const [head, body = '', tail] = jws.split('.');
    const text = Buffer.from(body, 'base64url').toString('utf8').replace('station-1', 'station-3');
    assert.match(refusalOf([head, Buffer.from(text).toString('base64url'), tail].join('.')), /did not sign/);
  });
});

describe('what vouches for a request', () => {
  const register: readonly RegisterEntry[] = [
    { kind: 'code', at: AT, station: 'station-1', code: 'one', notAfter: '2026-11-23T12:00:00.000Z' },
  ];
  const request = async (code: string) =>
    readEnrolment(
      await askEnrolment(asked, { tls, envelope }, { code, present: null }, nodeCrypto),
      nodeCrypto,
    );

  it('is a code of this station that has neither ended nor been spent', async () => {
    const good = await request('one');
    assert.equal(codeOf(good, register, NOW, nodeCrypto), 'one');
    assert.equal(codeOf(await request('two'), register, NOW, nodeCrypto), null);
    assert.equal(codeOf(good, register, NOW + 2 * 86_400_000, nodeCrypto), null);
    assert.equal(codeOf({ ...good, station: 'station-2' }, register, NOW, nodeCrypto), null);
    const spent: RegisterEntry = { kind: 'code-spent', at: AT, station: 'station-1', code: 'one' };
    assert.equal(codeOf(good, [...register, spent], NOW, nodeCrypto), null);
  });

  it('counts for these keys alone', () => {
    const own = { station: 'station-1', tlsKey: tls.publicKey, envelopeKey: envelope.publicKey };
    const other = { ...own, tlsKey: stranger.publicKey };
    assert.notEqual(codeProof('one', own, nodeCrypto), codeProof('one', other, nodeCrypto));
    assert.notEqual(enrolmentSubject(own, nodeCrypto), enrolmentSubject(other, nodeCrypto));
  });
});
