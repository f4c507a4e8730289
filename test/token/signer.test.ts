import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import { openCertificateOffice, toPem } from '../../drivers/certificates/authority.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import { createStationToken, type StationToken } from '../../drivers/token/pkcs11/provision.ts';
import { serialFrom } from '../../runtime/core/pki/profile.ts';
import type { ProbeJob, ProbeReport } from './tls-probe.ts';

/** Debian's OpenSSL engines; Node's own OpenSSL looks there only when told. */
const ENGINES = '/usr/lib/x86_64-linux-gnu/engines-3';
const message = new TextEncoder().encode('an envelope');

let directory = '';
let token: StationToken;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-signer-'));
  token = await createStationToken({
    directory: join(directory, 'token'),
    label: 'station',
    station: 'l1-s1',
  });
});
after(() => rm(directory, { recursive: true, force: true }));

function probe(job: Partial<ProbeJob> = {}): Promise<ProbeReport> {
  const { module, label, pinFile, softHsmConf } = token;
  const child = fork(new URL('./tls-probe.js', import.meta.url), {
    serialization: 'advanced',
    execArgv: [],
    env: { ...process.env, OPENSSL_ENGINES: ENGINES, PKCS11_MODULE_PATH: module, SOFTHSM2_CONF: softHsmConf },
  });
  return new Promise((resolve, reject) => {
    child.once('message', (report: ProbeReport) => {
      resolve(report);
      child.disconnect();
    });
    child.once('exit', (code, signal) => reject(new Error(`probe ended: ${code ?? signal}`)));
    child.send({ module, label, pinFile, message, tls: null, ...job } satisfies ProbeJob);
  });
}

/** A broker that asks for a client certificate and answers with its common name. */
async function startServer() {
  const office = await openCertificateOffice();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  const keyFile = join(directory, 'ca.key');
  await writeFile(keyFile, pem, { mode: 0o600 });
  const signer = await openFileSigner(keyFile);
  const now = Math.floor(Date.now() / 1000) * 1000;
  const terms = (fill: number) => ({
    serial: serialFrom(new Uint8Array(16).fill(fill)),
    notBeforeMs: now - 60_000,
    notAfterMs: now + 3_600_000,
  });
  const ca = await office.selfSign({ ...terms(1), commonName: 'Bus CA', pathLength: 0 }, signer);
  const issue = async (fill: number, commonName: string, role: 'server' | 'client', publicKey: Uint8Array) =>
    toPem(
      'CERTIFICATE',
      await office.certifyParty(ca, { ...terms(fill), commonName, role, publicKey, dns: ['localhost'] }),
    );
  const caPem = toPem('CERTIFICATE', ca.certificate);
  // The server's key is the CA's file key: which key it is does not matter here.
  const server = createServer({
    key: pem,
    cert: await issue(2, 'localhost', 'server', signer.publicKey),
    ca: caPem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.end(String(socket.getPeerCertificate().subject.CN));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ca: caPem,
    certificate: await issue(3, 'l1-s1', 'client', token.tlsPublicKey),
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

describe('PKCS#11 signer in the calling process', () => {
  it('signs what the public key of the token verifies', async () => {
    const { publicKey, signatures } = await probe();
    assert.deepEqual(Buffer.from(publicKey), Buffer.from(token.envelopePublicKey));
    assert.ok(signatures.length > 0);
    for (const signature of signatures) assert.ok(nodeCrypto.verifyP256(publicKey, message, signature));
  });

  it('says TOKEN_PIN_WRONG to a wrong PIN and TOKEN_UNAVAILABLE to a wrong label', async () => {
    const pinFile = join(directory, 'wrong-pin');
    await writeFile(pinFile, '000000', { mode: 0o600 });
    assert.equal((await probe({ pinFile })).failure, 'TOKEN_PIN_WRONG');
    assert.equal((await probe({ label: 'other' })).failure, 'TOKEN_UNAVAILABLE');
  });

  it('is there for the same keys when it is provisioned again', async () => {
    const place = { directory: join(directory, 'token'), label: 'station', station: 'l1-s1' };
    assert.deepEqual((await createStationToken(place)).publicKeys, token.publicKeys);
  });

  for (const engineFirst of [false, true])
    it(`works beside the OpenSSL engine on the same token, engine ${engineFirst ? 'first' : 'second'}`, async (t) => {
      if (!existsSync(ENGINES)) return t.skip('no OpenSSL engines here');
      const { close, ...server } = await startServer();
      const report = await probe({ tls: { ...server, keyUri: token.tlsKeyUri, engineFirst } });
      await close();
      assert.deepEqual(report.answers, ['l1-s1', 'l1-s1']);
      assert.equal(report.signatures.length, 5);
      for (const signature of report.signatures)
        assert.ok(nodeCrypto.verifyP256(token.envelopePublicKey, message, signature));
    });
});
