import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  type Authority,
  type AuthorityTerms,
  type CertificateOffice,
  openCertificateOffice,
  toPem,
} from '../../drivers/certificates/authority.ts';
import { privateKeyFrom, publicKeyOf, signMessage } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto, p256Spki } from '../../drivers/crypto/node.ts';
import {
  createSoftwareSigner,
  openEd25519FileSigner,
  openFileSigner,
} from '../../drivers/token/file-signer.ts';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { assembleCertificate } from '../../runtime/core/pki/certificate.ts';
import { documentationIdentifiers, serialFrom } from '../../runtime/core/pki/profile.ts';
import { assembleRequest, requestInfo } from '../../runtime/core/pki/request.ts';
import { signatureToDer } from '../../runtime/core/pki/signature.ts';
import { toBeSigned } from '../../runtime/core/pki/tbs.ts';
import { FAR_DATE_MS } from '../../runtime/core/pki/time.ts';
import type { Signer } from '../../runtime/core/ports.ts';

const run = promisify(execFile);
const DAY_MS = 86_400_000;
const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
let serials = 0;
const key = (fill: number): Buffer => privateKeyFrom(new Uint8Array(40).fill(fill));
const terms = () => ({
  serial: serialFrom(new Uint8Array(16).fill(++serials)),
  notBeforeMs: NOW_MS - 60_000,
  notAfterMs: FAR_DATE_MS,
});
const authorityTerms = (commonName: string, pathLength: number): AuthorityTerms => ({
  ...terms(),
  commonName,
  pathLength,
});

let directory = '';
let office: CertificateOffice;
let rootSigner: Signer;
let root: Authority;
let batch: Authority;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-pki-'));
  office = await openCertificateOffice();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyFile = await write('root.key', privateKey.export({ format: 'pem', type: 'pkcs8' }) as string);
  rootSigner = await openFileSigner(keyFile);
  root = await office.selfSign(authorityTerms('Fleet Root', 1), rootSigner);
  batch = await office.certifyAuthority(root, authorityTerms('Batch CA', 0), createSoftwareSigner(key(1)));
});
after(() => rm(directory, { recursive: true, force: true }));

async function write(name: string, content: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content, { mode: 0o600 });
  return path;
}

/** OpenSSL's verdict on a leaf under root and intermediates; its message when it is not OK. */
async function verify(
  leaf: Bytes,
  under: readonly Bytes[],
  options: readonly string[] = [],
): Promise<string> {
  const name = `${++serials}`;
  const leafFile = await write(`${name}.pem`, toPem('CERTIFICATE', leaf));
  const rootFile = await write(`${name}-root.pem`, toPem('CERTIFICATE', root.certificate));
  const chainFile = await write(`${name}-chain.pem`, under.map((one) => toPem('CERTIFICATE', one)).join(''));
  const chain = under.length === 0 ? [] : ['-untrusted', chainFile];
  const args = [
    'verify',
    '-x509_strict',
    '-check_ss_sig',
    ...options,
    '-CAfile',
    rootFile,
    ...chain,
    leafFile,
  ];
  try {
    return (await run('openssl', args)).stdout.trim().replace(`${leafFile}: `, '');
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  }
}

function device(): { readonly tbs: Bytes; readonly certificate: Bytes } {
  const tbs = toBeSigned({
    ...terms(),
    profile: 'idevid-batch',
    issuer: batch,
    eid: '89049032123451234512345678901235',
    publicKey: publicKeyOf(key(9)),
    identifiers: documentationIdentifiers,
    manufacturing: { batch: 'BATCH-2026-0042', manufacturedAtMs: NOW_MS },
  });
  return { tbs, certificate: assembleCertificate(tbs, signMessage(key(1), tbs)) };
}

describe('certificate authorities, judged by OpenSSL', () => {
  it('root, batch CA and device pass -x509_strict', async () => {
    assert.equal(await verify(batch.certificate, []), 'OK');
    const { certificate } = device();
    assert.equal(await verify(certificate, [batch.certificate]), 'OK');
    assert.ok(certificate.length <= 520, `${certificate.length} bytes`);
  });

  it('a device signed by another key, or below a CA too deep, does not pass', async () => {
    const { tbs } = device();
    const forged = assembleCertificate(tbs, signMessage(key(2), tbs));
    assert.match(await verify(forged, [batch.certificate]), /signature failure/);
    const deep = await office.certifyAuthority(
      batch,
      authorityTerms('Deep CA', 0),
      createSoftwareSigner(key(3)),
    );
    const leaf = await office.certifyParty(deep, {
      ...terms(),
      commonName: 'station-1',
      publicKey: publicKeyOf(key(4)),
      role: 'client',
    });
    assert.match(
      await verify(leaf, [batch.certificate, deep.certificate]),
      /path length constraint exceeded/,
    );
  });

  it('server and client certificates are good for their own purpose alone', async () => {
    const bus = await office.certifyAuthority(
      root,
      authorityTerms('Bus CA', 0),
      createSoftwareSigner(key(5)),
    );
    const party = { ...terms(), commonName: 'broker', publicKey: publicKeyOf(key(6)) };
    const server = await office.certifyParty(bus, {
      ...party,
      role: 'server',
      dns: ['broker.test'],
      ip: ['127.0.0.1'],
    });
    assert.equal(
      await verify(server, [bus.certificate], ['-purpose', 'sslserver', '-verify_hostname', 'broker.test']),
      'OK',
    );
    assert.match(
      await verify(server, [bus.certificate], ['-purpose', 'sslclient']),
      /unsuitable|unsupported/,
    );
    assert.equal(new X509Certificate(server).checkIP('127.0.0.1'), '127.0.0.1');
    const client = await office.certifyParty(bus, { ...party, commonName: 'station-1', role: 'client' });
    assert.equal(await verify(client, [bus.certificate], ['-purpose', 'sslclient']), 'OK');
    assert.equal(new X509Certificate(client).subject, 'CN=station-1');
  });

  it('every CA has an empty CRL from the first day, under the label that OpenSSL reads', async () => {
    const crls = await Promise.all(
      [root, batch].map((authority) =>
        office.emptyCrl(authority, { number: 200, thisUpdateMs: NOW_MS, nextUpdateMs: NOW_MS + 30 * DAY_MS }),
      ),
    );
    const file = await write('crls.pem', crls.map((crl) => toPem('X509 CRL', crl)).join(''));
    const { certificate } = device();
    assert.equal(await verify(certificate, [batch.certificate], ['-crl_check_all', '-CRLfile', file]), 'OK');
    const text = (await run('openssl', ['crl', '-in', file, '-noout', '-text'])).stdout;
    assert.match(text, /X509v3 CRL Number:\s+200/);
    assert.match(text, /No Revoked Certificates/);
    const one = await write('one.pem', toPem('X509 CRL', crls[0] ?? new Uint8Array(0)));
    assert.match(
      await verify(certificate, [batch.certificate], ['-crl_check_all', '-CRLfile', one]),
      /unable to get certificate CRL/,
    );
  });

  it('a CA is opened again from its certificate, with its own key alone', async () => {
    const again = office.reopen(batch.certificate, createSoftwareSigner(key(1)));
    assert.deepEqual(
      [Buffer.from(again.name), Buffer.from(again.keyIdentifier)],
      [Buffer.from(batch.name), Buffer.from(batch.keyIdentifier)],
    );
    assert.throws(() => office.reopen(batch.certificate, createSoftwareSigner(key(2))), RangeError);
  });

  it('a composed request is one that OpenSSL verifies', async () => {
    const info = requestInfo('89049032123451234512345678901235', publicKeyOf(key(9)));
    const request = assembleRequest(info, signatureToDer(signMessage(key(9), info)));
    const path = join(directory, 'request.der');
    await writeFile(path, request);
    const { stdout, stderr } = await run('openssl', [
      'req',
      '-inform',
      'DER',
      '-in',
      path,
      '-verify',
      '-noout',
      '-subject',
    ]);
    assert.match(stdout + stderr, /verify OK/);
    assert.match(stdout, /serialNumber = 89049032123451234512345678901235/);
  });
});

describe('signing keys in files', () => {
  it('sign what their public key verifies', async () => {
    const message = new TextEncoder().encode('what is signed');
    assert.ok(nodeCrypto.verifyP256(rootSigner.publicKey, message, await rootSigner.sign(message)));
    const { privateKey } = generateKeyPairSync('ed25519');
    const path = await write('log.key', privateKey.export({ format: 'pem', type: 'pkcs8' }) as string);
    const signer = await openEd25519FileSigner(path);
    assert.equal(signer.publicKey.length, 32);
    assert.ok(nodeCrypto.verifyEd25519(signer.publicKey, message, signer.sign(message)));
    await assert.rejects(() => openFileSigner(path), { code: 'FILE_UNREADABLE' });
  });

  it('are refused when others may read them, when they are missing or no keys', async () => {
    const path = join(directory, 'open.key');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(path, privateKey.export({ format: 'pem', type: 'pkcs8' }) as string, { mode: 0o644 });
    await assert.rejects(() => openFileSigner(path), { code: 'FILE_UNREADABLE' });
    await assert.rejects(() => openFileSigner(join(directory, 'none.key')), { code: 'FILE_UNREADABLE' });
    await assert.rejects(async () => openFileSigner(await write('no.key', 'no key')), {
      code: 'FILE_UNREADABLE',
    });
  });

  it('software signers are deterministic', async () => {
    const signer = createSoftwareSigner(key(1));
    const [a, b] = [await signer.sign(new Uint8Array(1)), await signer.sign(new Uint8Array(1))];
    assert.deepEqual(a, b);
    assert.equal(p256Spki(signer.publicKey).length, 91);
  });
});
