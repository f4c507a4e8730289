/** Ceremonies on SoftHSM: what only a real PKCS#11 module can say. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, createCipheriv, createPublicKey, generateKeyPairSync, publicEncrypt } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openDirectoryShelf } from '../../drivers/shelf/directory.ts';
import { openPkcs11CeremonyToken } from '../../drivers/token/pkcs11/ceremony/process.ts';
import { createBareToken, type LaboratoryToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token } from '../../drivers/token/pkcs11/token.ts';
import { conduct } from '../../runtime/cli/ceremony/conduct.ts';
import { fromHex, toHex, xor } from '../../runtime/core/bytes.ts';
import type { CeremonyPlan } from '../../runtime/core/ceremony/plan.ts';
import type { CeremonyToken } from '../../runtime/core/ceremony/token.ts';
import { type VerifiedRecord, verifyRecord } from '../../runtime/core/ceremony/verification.ts';
import type { TokenRole } from '../../runtime/core/key-policy.ts';
import { scanChildMemory } from '../token/memory-scan.ts';
import { components, custody, planOf, roomOf, trusted, withCode } from './room.ts';

let directory = '';
let gateway: LaboratoryToken;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-ceremony-'));
  gateway = await createBareToken({
    directory: join(directory, 'gateway'),
    label: 'gateway',
    role: 'gateway',
  });
  for (const [name, { component }] of Object.entries(custody))
    writeFileSync(join(directory, `${name}.key`), `${component}\n`, { mode: 0o600 });
});
after(() => rm(directory, { recursive: true, force: true }));

const openToken = (place: LaboratoryToken, role: TokenRole): Promise<CeremonyToken & AsyncDisposable> =>
  openPkcs11CeremonyToken({ ...place, laboratory: true, role });

/** Carries the plan out on a real token and a real disk. */
async function carriedOut(plan: CeremonyPlan, place: LaboratoryToken, name: string): Promise<VerifiedRecord> {
  await using token = await openToken(place, plan.token.role);
  const room = await roomOf(plan);
  const jws = await conduct({
    ...room,
    token,
    shelf: openDirectoryShelf(),
    directory: join(directory, name),
    componentFiles: new Map(Object.keys(custody).map((who) => [who, join(directory, `${who}.key`)])),
  });
  return verifyRecord(jws, trusted, nodeCrypto);
}

const onGateway = (steps: readonly object[], title: string): CeremonyPlan =>
  planOf({ title, token: { role: 'gateway', label: 'gateway', serial: null, class: 'software' }, steps });
const kek = xor(fromHex(custody.carla.component), fromHex(custody.dario.component));
const vendorMaster = fromHex('404142434445464748494a4b4c4d4e4f404142434445464748494a4b4c4d4e4f');
const tripleDes = fromHex('0123456789abcdeffedcba98765432100123456789abcdef');
const wrapPad = (key: Uint8Array): Buffer => {
  const cipher = createCipheriv('id-aes256-wrap-pad', kek, Buffer.from('a65959a6', 'hex'));
  return Buffer.concat([cipher.update(key), cipher.final()]);
};
const zeros = (key: Uint8Array): string =>
  toHex(nodeCrypto.aesEncryptBlock(key, new Uint8Array(16)).subarray(0, 3));
const ofTripleDes = (key: Uint8Array): string =>
  createCipheriv('des-ede3-ecb', key, null).update(Buffer.alloc(8)).subarray(0, 3).toString('hex');

describe('a ceremony on SoftHSM', () => {
  it('makes a token with which a gateway starts, and keys that are what the record says', async () => {
    const { record } = await carriedOut(
      onGateway(
        [
          { do: 'generate', key: 'constants-seal' },
          { do: 'generate', key: 'mdk-1', backup: { file: 'mdk-1.wrapped', components } },
          { do: 'generate', key: 'mdk-2' },
          { do: 'join', key: 'transport-master', components, checkValue: zeros(kek) },
          { do: 'key-pair', key: 'issuer-line-1' },
          { do: 'key-pair', key: 'issuer-p384-line-1' },
          { do: 'key-pair', key: 'import-vendor' },
          {
            do: 'constants',
            file: 'constants.json',
            keyVersions: { 'mdk-1': [0x31], 'transport-master': [0x30] },
          },
          { do: 'release-tag', controller: 'c1', file: 'c1.tag.key' },
        ],
        'first',
      ),
      gateway,
      'first',
    );
    assert.deepEqual(
      record.steps.map(({ key }) => key?.origin ?? null),
      ['inside', 'outside', 'inside', 'outside', 'inside', 'inside', 'inside', null, null],
    );
    assert.equal(record.steps[3]?.key?.checkValue, zeros(kek));
    const attributes = record.steps[2]?.key?.objects[0]?.attributes;
    assert.deepEqual(
      [attributes?.KEY_TYPE, attributes?.VALUE_LEN, attributes?.ALLOWED_MECHANISMS, attributes?.LOCAL],
      ['AES', 32, ['AES_CBC_ENCRYPT_DATA'], true],
    );
    const place = { ...gateway, constantsFile: join(directory, 'first', 'constants.json'), laboratory: true };
    await using token = await openPkcs11Token(place);
    const keys = { algorithm: 'aes-128', eid: '89049032123451234512345678901235' } as const;
    const values = await token.checkValues({ ...keys, origin: 'fleet', generation: 1, keyVersion: 0x31 });
    const [entry] = record.steps[7]?.constants ?? [];
    assert.deepEqual(values, entry?.checkValues);
  });

  it('writes the key of a gate controller for its owner alone, and no file with a key of the token', () => {
    const files = readdirSync(join(directory, 'first'));
    for (const file of files) assert.equal(statSync(join(directory, 'first', file)).mode & 0o077, 0, file);
    const tag = readFileSync(join(directory, 'first', 'c1.tag.key'), 'utf8').trim();
    const record = readFileSync(join(directory, 'first', 'record.jws'), 'utf8');
    assert.match(tag, /^[0-9a-f]{32}$/);
    for (const file of files.filter((name) => name !== 'c1.tag.key'))
      for (const secret of [tag, toHex(kek), custody.carla.component])
        assert.ok(!readFileSync(join(directory, 'first', file), 'latin1').includes(secret), file);
    assert.ok(
      !Buffer.from(record.split('.')[1] ?? '', 'base64url')
        .toString()
        .includes(tag),
    );
  });

  it('imports what OpenSSL wrapped, by AES-KWP and by RSA-OAEP, and says that it comes from outside', async () => {
    const vendor = createPublicKey(readFileSync(join(directory, 'first', 'import-vendor.pub.pem')));
    const oaep = { key: vendor, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
    const wrapped = { 'kwp.bin': wrapPad(vendorMaster), 'oaep.bin': publicEncrypt(oaep, tripleDes) };
    for (const [name, bytes] of Object.entries(wrapped)) writeFileSync(join(directory, name), bytes);
    const { record } = await carriedOut(
      onGateway(
        [
          {
            do: 'import',
            key: 'transport-master-kdf3-aes-256',
            file: join(directory, 'kwp.bin'),
            under: { method: 'aes-kwp', components },
            checkValue: zeros(vendorMaster),
          },
          {
            do: 'import',
            key: 'transport-master-visa2',
            file: join(directory, 'oaep.bin'),
            under: { method: 'rsa-oaep', key: 'import-vendor' },
            checkValue: ofTripleDes(tripleDes),
          },
        ],
        'import',
      ),
      gateway,
      'import',
    );
    for (const { key, did } of record.steps) {
      assert.deepEqual([did, key?.origin], ['done', 'outside']);
      assert.equal(key?.objects[0]?.attributes.NEVER_EXTRACTABLE, false);
    }
  });

  it('keeps nothing of a key whose check value is another than the vendor’s', async () => {
    const under = { method: 'aes-kwp', components };
    const file = join(directory, 'kwp.bin');
    const step = { do: 'import', key: 'transport-master-aes-256', file, under, checkValue: '000000' };
    await assert.rejects(
      carriedOut(onGateway([step], 'wrong'), gateway, 'wrong'),
      withCode('CEREMONY_KEY_DIFFERS', { expected: '000000', found: zeros(vendorMaster) }),
    );
    const spoilt = wrapPad(vendorMaster).map((byte, i) => (i === 9 ? byte ^ 1 : byte));
    writeFileSync(join(directory, 'spoilt.bin'), spoilt);
    await assert.rejects(
      carriedOut(onGateway([{ ...step, file: join(directory, 'spoilt.bin') }], 'spoilt'), gateway, 'spoilt'),
      withCode('HSM_FAILED'),
    );
    await using token = await openToken(gateway, 'gateway');
    assert.equal(await token.readKey('transport-master-aes-256'), null);
  });

  it('restores a backup into another token, where it is the same key', async () => {
    await using first = await openToken(gateway, 'gateway');
    const checkValue = (await first.readKey('mdk-1'))?.checkValue;
    const spare = await createBareToken({
      directory: join(directory, 'spare'),
      label: 'gateway',
      role: 'gateway',
    });
    const file = join(directory, 'first', 'mdk-1.wrapped');
    const plan = onGateway([{ do: 'restore', key: 'mdk-1', file, components, checkValue }], 'restore');
    const { record } = await carriedOut(plan, spare, 'restore');
    assert.equal(record.steps[0]?.key?.checkValue, checkValue);
  });

  it('makes a root in a token of its own, and no gateway starts beside one', async () => {
    const place = await createBareToken({ directory: join(directory, 'root'), label: 'root', role: 'root' });
    const token = { role: 'root', label: 'root', serial: null, class: 'software' };
    const plan = planOf({ title: 'root', token, steps: [{ do: 'key-pair', key: 'root' }] });
    await carriedOut(plan, place, 'root-record');
    await using asGateway = await openToken(place, 'gateway');
    const attribute = 'does not belong in a token of the gateway';
    await assert.rejects(asGateway.audit(), withCode('KEY_POLICY_BROKEN', { key: 'root', attribute }));
  });

  it('refuses a software token outside laboratory and pilot', async () => {
    await assert.rejects(
      openPkcs11CeremonyToken({ ...gateway, laboratory: false, role: 'gateway' }),
      withCode('TOKEN_UNAVAILABLE', { reason: 'a software token' }),
    );
  });

  it('refuses a component of another custodian, and one that is not whole', async () => {
    await using token = await openToken(gateway, 'gateway');
    const files = [join(directory, 'carla.key'), join(directory, 'short.key'), join(directory, 'long.key')];
    writeFileSync(files[1] ?? '', custody.dario.component.slice(2), { mode: 0o600 });
    writeFileSync(files[2] ?? '', `${custody.dario.component}00`, { mode: 0o600 });
    for (const file of files) {
      const [carla, dario] = components;
      const sources = [
        { ...carla, file: join(directory, 'carla.key') },
        { ...dario, file },
      ];
      const custodian = { custodian: 'dario' };
      await assert.rejects(
        token.join('mdk-3', sources, null),
        withCode('CEREMONY_COMPONENT_WRONG', custodian),
      );
    }
    assert.equal(await token.readKey('mdk-3'), null);
  });

  it('refuses a component that others may read', async () => {
    const file = join(directory, 'open.key');
    writeFileSync(file, custody.carla.component, { mode: 0o644 });
    await using token = await openToken(gateway, 'gateway');
    const sources = components.map((component) => ({ ...component, file }));
    await assert.rejects(token.join('mdk-3', sources, null), withCode('FILE_UNREADABLE'));
    assert.equal(await token.readKey('mdk-3'), null);
  });

  it('is refused beside a private key that somebody brought in from outside under a good name', async () => {
    const place = await createBareToken({
      directory: join(directory, 'brought'),
      label: 'gateway',
      role: 'gateway',
    });
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const file = join(directory, 'brought.pem');
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const id = Buffer.from('issuer-line-1').toString('hex');
    const pin = readFileSync(place.pinFile, 'utf8');
    const args = [
      '--import',
      file,
      '--token',
      'gateway',
      '--label',
      'issuer-line-1',
      '--id',
      id,
      '--pin',
      pin,
    ];
    execFileSync('softhsm2-util', args, { env: { ...process.env, SOFTHSM2_CONF: place.softHsmConf } });
    const plan = onGateway([{ do: 'key-pair', key: 'issuer-line-1' }], 'brought');
    await assert.rejects(
      carriedOut(plan, place, 'brought-record'),
      withCode('KEY_POLICY_BROKEN', { key: 'issuer-line-1' }),
    );
  });

  it('keeps no component and no key that was joined of them in the memory of its process', async () => {
    await using token = await openToken(gateway, 'gateway');
    const sources = components.map((component) => ({
      ...component,
      file: join(directory, `${component.custodian}.key`),
    }));
    await token.join('mdk-5', sources, null);
    await token.wrapNewborn(sources);
    const parts = Object.values(custody).map(({ component }) => component);
    const secrets = [
      Buffer.from(kek),
      ...parts.flatMap((hex) => [Buffer.from(hex, 'hex'), Buffer.from(hex)]),
    ];
    // The name of the key must be found, or the scan sees nothing.
    const found = await scanChildMemory([Buffer.from('mdk-5'), ...secrets]);
    assert.ok((found[0] ?? 0) > 0);
    assert.deepEqual(
      found.slice(1),
      secrets.map(() => 0),
    );
  });
});
