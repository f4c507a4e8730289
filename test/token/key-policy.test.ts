import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fixedNames, parseMaster } from '../../drivers/token/masters.ts';
import { openPkcs11CeremonyToken } from '../../drivers/token/pkcs11/ceremony/process.ts';
import { createGatewayToken, type GatewayToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token } from '../../drivers/token/pkcs11/token.ts';
import { fromHex } from '../../runtime/core/bytes.ts';
import { type KeyAlgorithm, keyAlgorithms } from '../../runtime/core/card/key-algorithm.ts';
import { type Kdf, keyPolicy, ruleFor, ruleOf, sizedRule } from '../../runtime/core/key-policy.ts';
import type { Token } from '../../runtime/core/token.ts';
import { contractKeyVersions, contractMasters } from '../contracts/token-support.ts';
import { createCardModel, deriveSet } from './card-model.ts';
import type { Intrusion } from './intruder.ts';
import { scanChildMemory } from './memory-scan.ts';

const EID = '89049032123451234512345678901235';
const master = Uint8Array.from({ length: 32 }, (_, i) => 0x51 ^ (37 * i));
const noMasters = [
  'mdk-0',
  'mdk-',
  'mdk-1 ',
  'mdk-1-aes-192',
  'transport-master-visa2-aes-256',
  'transport-master-an10922-aes-256',
  'transport-master-des',
];
let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-policy-'));
});
after(() => rm(directory, { recursive: true, force: true }));

function createToken(name: string): Promise<GatewayToken> {
  return createGatewayToken({
    directory: join(directory, name),
    label: 'gateway',
    masters: {
      'transport-master': master,
      'transport-master-aes-256': master,
      'mdk-1': 'generated',
      'mdk-1-aes-256': 'generated',
    },
    keyVersions: {
      'transport-master': [0x30],
      'transport-master-aes-256': [0x30],
      'mdk-1': [0x31],
      'mdk-1-aes-256': [0x31],
    },
    signingKeys: ['envelope'],
  });
}

function intrude(
  place: GatewayToken,
  intrusion: Pick<Intrusion, 'key' | 'attributes'> & Partial<Pick<Intrusion, 'kdf'>>,
): Promise<void> {
  const child = fork(new URL('./intruder.js', import.meta.url), {
    execArgv: [],
    env: { ...process.env, SOFTHSM2_CONF: place.softHsmConf },
  });
  return new Promise((resolve, reject) => {
    child.once('message', () => {
      resolve();
      child.disconnect();
    });
    child.once('exit', (code) => reject(new Error(`intruder ended: ${code}`)));
    const { module, label, pinFile } = place;
    child.send({ module, label, pinFile, kdf: 'cbc-data', ...intrusion });
  });
}

describe('key policy', () => {
  it('lets no key both wrap and decrypt, and no kept secret leave the token', () => {
    for (const { name, uses, kind, lives, leaves } of keyPolicy) {
      assert.ok(!(uses.includes('WRAP') && uses.includes('DECRYPT')), name);
      const hasBackup = name.endsWith('-restorable');
      if (kind !== 'public' && lives === 'token') assert.equal(leaves, hasBackup ? 'once' : 'never', name);
    }
  });

  it('has one rule for each name a token object may have, and none for others', () => {
    for (const label of [...Object.keys(contractMasters), 'mdk-65535', 'mdk-2-aes-256', 'constants-seal'])
      assert.equal(ruleFor('secret', label)?.lives, 'token', label);
    const pairs = [
      'envelope',
      'confirmation',
      'issuer-line-1',
      'issuer-p384-line-1',
      'tls-l1-s1',
      'root',
      'issuer-restorable-line-1',
      'issuer-p384-restorable-line-1',
      'root-restorable',
    ];
    for (const label of pairs) {
      assert.ok(
        keyPolicy.filter((rule) => rule.kind === 'private' && rule.label.test(label)).length === 1,
        label,
      );
      assert.equal(ruleFor('public', label)?.type, label.includes('p384') ? 'p-384' : 'p-256', label);
    }
    for (const label of [...noMasters, '', 'issuer-', 'issuer-A', 'root-2'])
      for (const kind of ['secret', 'private', 'public'] as const)
        assert.equal(ruleFor(kind, label), undefined, label);
  });

  it('names each master by what it derives, and gives it no other mechanism', () => {
    for (const label of Object.keys(contractKeyVersions)) {
      const { scheme, algorithm } = parseMaster(label) ?? assert.fail(label);
      const byBlocks = algorithm === 'aes-256' ? 'AES_ECB_ENCRYPT_DATA' : 'AES_CBC_ENCRYPT_DATA';
      const des = scheme === 'visa2' || scheme === 'emv-cps-1.1';
      assert.deepEqual(
        ruleFor('secret', label)?.mechanisms,
        [des ? 'DES3_ECB_ENCRYPT_DATA' : byBlocks],
        label,
      );
      assert.deepEqual(ruleFor('secret', label)?.uses, ['DERIVE'], label);
    }
    for (const label of [...noMasters, ...fixedNames]) assert.equal(parseMaster(label), null, label);
  });

  it('gives a master whose derivation is native that mechanism alone, and changes no other key for it', () => {
    for (const label of [...Object.keys(contractKeyVersions), ...fixedNames, 'constants-seal']) {
      const [portable, native] = [ruleFor('secret', label), ruleFor('secret', label, 'sp800-108')];
      const derives = parseMaster(label)?.scheme === 'eid-kdf-1';
      assert.deepEqual(native?.mechanisms, derives ? ['SP800_108_COUNTER_KDF'] : portable?.mechanisms, label);
      assert.deepEqual([native?.uses, native?.type], [portable?.uses, portable?.type], label);
    }
  });

  it('lets the keys of a scratch set be wrapped once and do what a channel needs, for either length', () => {
    for (const algorithm of keyAlgorithms) {
      const [scratch, enc, fresh] = (['scratch-key', 'k-enc', 'new-key'] as const).map((name) =>
        ruleOf(sizedRule(name, algorithm)),
      );
      assert.deepEqual([scratch?.lives, scratch?.leaves, scratch?.type], ['session', 'wrapped', algorithm]);
      assert.deepEqual([scratch?.uses, scratch?.mechanisms], [enc?.uses, enc?.mechanisms]);
      assert.deepEqual([enc?.leaves, fresh?.leaves, fresh?.uses], ['never', 'wrapped', ['ENCRYPT']]);
    }
  });

  it('says of each key who uses it, and lets no token of a gateway hold what belongs to the root', () => {
    for (const { name, user, tokens } of keyPolicy) assert.ok(user !== '' && tokens.length > 0, name);
    for (const label of ['root', 'root-p384', 'root-restorable', 'tls-l1-s1', 'officer-ada'])
      assert.ok(!ruleFor('private', label)?.tokens.includes('gateway'), label);
    for (const { name, kind, lives, tokens } of keyPolicy)
      if (kind === 'secret' && lives === 'token') assert.deepEqual(tokens, ['gateway'], name);
  });

  const intrusions: readonly [key: string, attributes: Record<string, boolean>, attribute: string][] = [
    ['mdk-2', { ENCRYPT: true }, 'CKA_ENCRYPT'],
    ['mdk-3', { EXTRACTABLE: true }, 'CKA_EXTRACTABLE'],
    ['mdk-4', { SENSITIVE: false }, 'CKA_SENSITIVE'],
    ['mdk-5', { MODIFIABLE: true }, 'CKA_MODIFIABLE'],
    ['mdk-6', { DESTROYABLE: true }, 'CKA_DESTROYABLE'],
    ['mdk-7', { WRAP_WITH_TRUSTED: true }, 'CKA_WRAP_WITH_TRUSTED'],
    ['mdk-1', {}, 'a second object of this name'],
    ['stray', {}, 'unknown object'],
  ];
  for (const [key, attributes, attribute] of intrusions)
    it(`refuses to start beside ${key}: ${attribute}`, async () => {
      const place = await createToken(key);
      await intrude(place, { key, attributes });
      const start = async (): Promise<void> => {
        await using token = await openPkcs11Token({ ...place, laboratory: true });
        await token.describe();
      };
      await assert.rejects(start, { code: 'KEY_POLICY_BROKEN', context: { key, attribute } });
    });
});

describe('the kind of masters that a token has', () => {
  it('is one, by the gateway’s setting: a master of the other kind is refused by name and attribute', async () => {
    const portable = await createToken('portable');
    const start = async (place: GatewayToken, kdf: Kdf): Promise<void> => {
      await using token = await openPkcs11Token({ ...place, laboratory: true, kdf });
      await token.describe();
    };
    const refusal = (key: string) => ({
      code: 'KEY_POLICY_BROKEN',
      context: { key, attribute: 'CKA_ALLOWED_MECHANISMS' },
    });
    await assert.rejects(start(portable, 'sp800-108'), ({ code, context }) => {
      assert.deepEqual([code, context.attribute], ['KEY_POLICY_BROKEN', 'CKA_ALLOWED_MECHANISMS']);
      return parseMaster(context.key) !== null;
    });
    await intrude(portable, { key: 'mdk-7', attributes: {}, kdf: 'sp800-108' });
    await assert.rejects(start(portable, 'cbc-data'), refusal('mdk-7'));
  });

  it('is accepted where it is the gateway’s setting, and asked of a module that cannot derive so', async () => {
    const bare = await createGatewayToken({
      directory: join(directory, 'native'),
      label: 'gateway',
      masters: { 'transport-master-kdf3': fromHex('404142434445464748494a4b4c4d4e4f') },
      keyVersions: { 'transport-master-kdf3': [0x20] },
      signingKeys: ['envelope'],
    });
    await intrude(bare, { key: 'mdk-1', attributes: {}, kdf: 'sp800-108' });
    await using token = await openPkcs11Token({ ...bare, laboratory: true, kdf: 'sp800-108' });
    assert.equal((await token.describe()).label, 'gateway');
    const role = { role: 'gateway', laboratory: true } as const;
    await using room = await openPkcs11CeremonyToken({ ...bare, ...role, kdf: 'sp800-108' });
    await assert.rejects(room.generate('mdk-2'), {
      code: 'TOKEN_UNAVAILABLE',
      context: { key: 'mdk-2', mechanism: 'SP800_108_COUNTER_KDF', reason: 'the module does not offer it' },
    });
    await assert.rejects(room.readKey('mdk-1'), { code: 'HSM_FAILED' });
  });
});

describe('memory of the token process', () => {
  for (const algorithm of keyAlgorithms)
    it(`holds no master, static, new, scratch or session key of ${algorithm} after a whole dialogue`, async () => {
      const place = await createToken(`scan-${algorithm}`);
      await using token = await openPkcs11Token({ ...place, laboratory: true });
      const { channel, secrets } = await dialogue(token, algorithm);
      // The name of the channel must be found, or the scan sees nothing.
      const found = await scanChildMemory([Buffer.from(channel), ...secrets]);
      assert.ok((found[0] ?? 0) > 0);
      assert.deepEqual(
        found.slice(1),
        secrets.map(() => 0),
      );
    });
});

/** Puts the fleet's set and a scratch set on a card. Returns every key that was used. */
async function dialogue(token: Token, algorithm: KeyAlgorithm) {
  const transport = deriveSet(master, 0, 0x30, EID, algorithm === 'aes-128' ? 16 : 32);
  const card = createCardModel(new Map([[0x30, transport]]));
  const set = { algorithm, eid: EID } as const;
  const { channel, initializeUpdate } = await token.openChannel({
    ...set,
    origin: 'transport',
    scheme: 'eid-kdf-1',
    keyVersion: 0x30,
  });
  const aid = fromHex('a000000151000000');
  const proof = await token.authenticate(channel, card.transmit(initializeUpdate), aid);
  card.transmit(proof.externalAuthenticate);
  const scratch = await token.openScratchChannel(0x3f, algorithm);
  const form = 'block-only';
  const commands = await token.wrap(channel, [
    { keys: { ...set, origin: 'fleet', generation: 1, keyVersion: 0x31 }, form },
    { keys: { origin: 'scratch', channel: scratch.channel, keyVersion: 0x3f }, form },
  ]);
  const answers = commands.map((command) => card.transmit(command));
  for (const { statusWord } of await token.unwrap(channel, answers)) assert.equal(statusWord, 0x9000);
  const [fresh, drawn] = [card.sets.get(0x31), card.sets.get(0x3f)];
  assert.ok(fresh !== undefined && drawn !== undefined && card.sessionKeys.length === 3);
  const secrets = [Buffer.from(master), ...transport, ...card.sessionKeys, ...fresh, ...drawn];
  return { channel, secrets };
}
