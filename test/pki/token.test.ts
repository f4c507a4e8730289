/** Intermediates whose keys live in a token, P-256 and P-384: what they sign, OpenSSL and we believe. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createGatewayToken, type GatewayToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token } from '../../drivers/token/pkcs11/token.ts';
import { keyIdentifierOf } from '../../runtime/core/pki/algorithm.ts';
import { issuerFrom } from '../../runtime/core/pki/authority.ts';
import { assembleCertificate } from '../../runtime/core/pki/certificate.ts';
import { judgeChain } from '../../runtime/core/pki/chain.ts';
import { assembleCrl, crlToBeSigned } from '../../runtime/core/pki/crl.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import { toBeSigned } from '../../runtime/core/pki/tbs.ts';
import { DAY_MS, makeAuthority, makeCrl, makeDevice, NOW_MS } from './hierarchy.ts';
import { openOpenssl } from './openssl.ts';

const openssl = openOpenssl();
const directory = mkdtempSync(join(tmpdir(), 'holdfast-pki-token-'));
const root = makeAuthority('Token root', null);
let made: GatewayToken;

before(async () => {
  made = await createGatewayToken({
    directory,
    label: 'pki',
    masters: { 'mdk-1': 'generated' },
    keyVersions: { 'mdk-1': [0x31] },
    signingKeys: ['envelope', 'confirmation', 'issuer-line-1', 'issuer-p384-line-2'],
  });
});
after(async () => {
  await openssl.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('an intermediate in a token', () => {
  for (const [key, algorithm, bytes] of [
    ['issuer-line-1', 'es256', 64],
    ['issuer-p384-line-2', 'es384', 96],
  ] as const)
    it(`${key} signs certificates and lists (${algorithm}) that OpenSSL and we believe`, async () => {
      await using token = await openPkcs11Token({ ...made, laboratory: true });
      const publicKey = await token.publicKey(key);
      const keyIdentifier = keyIdentifierOf(publicKey, nodeCrypto);
      const line = makeAuthority(key, root, { publicKey, keyIdentifier });
      const issuer = issuerFrom(line.parsed);
      assert.equal(issuer.algorithm, algorithm);
      const tbs = toBeSigned(makeDevice(line, 'idevid-batch').intent);
      const signature = await token.sign(key, tbs);
      assert.equal(signature.length, bytes);
      const list = crlToBeSigned({
        issuer,
        number: 1,
        thisUpdateMs: NOW_MS - DAY_MS,
        nextUpdateMs: NOW_MS + DAY_MS,
        entries: [],
      });
      const question = {
        device: assembleCertificate(tbs, signature),
        intermediates: [line.certificate],
        roots: [root.certificate],
        crls: [assembleCrl(list, await token.sign(key, list)), makeCrl(root, [])],
        trustList: null,
        time: 'now',
        nowMs: NOW_MS,
        identifiers: documentationIdentifiers,
      } as const;
      assert.deepEqual(judgeChain(question, nodeCrypto), []);
      assert.equal(await openssl.verdict(question), 'OK');
    });
});
