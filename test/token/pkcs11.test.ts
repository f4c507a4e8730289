import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { tokenDeadlines } from '../../drivers/token/pkcs11/process.ts';
import { createGatewayToken, type GatewayToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token, type Pkcs11TokenOptions } from '../../drivers/token/pkcs11/token.ts';
import { fromHex, toHex, xor } from '../../runtime/core/bytes.ts';
import type { Token } from '../../runtime/core/token.ts';
import { tokenContract } from '../contracts/token.contract.ts';
import { tokenKeysContract } from '../contracts/token-keys.contract.ts';
import {
  CONTRACT_CHANNELS_MAX,
  contractKeyVersions,
  contractMasters,
  contractSigningKeys,
} from '../contracts/token-support.ts';
import { createCardModel, deriveSet } from './card-model.ts';
import { children, eventually } from './patience.ts';

const EID = '89049032123451234512345678901235';
const TRANSPORT = {
  origin: 'transport',
  scheme: 'eid-kdf-1',
  algorithm: 'aes-128',
  eid: EID,
  keyVersion: 0x30,
} as const;
const FLEET = { origin: 'fleet', algorithm: 'aes-128', generation: 1, eid: EID, keyVersion: 0x31 } as const;
const provisioning = {
  label: 'gateway',
  masters: contractMasters,
  keyVersions: contractKeyVersions,
  signingKeys: contractSigningKeys,
};

let directory = '';
let place: GatewayToken;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-token-'));
  place = await createGatewayToken({ directory, ...provisioning });
});
after(() => rm(directory, { recursive: true, force: true }));

function open(options: Partial<Pkcs11TokenOptions> = {}): Promise<Token & AsyncDisposable> {
  const limits = { channelsMax: CONTRACT_CHANNELS_MAX, idleMs: 60_000 };
  const deadlines = { ...tokenDeadlines, respawnMs: 20 };
  return openPkcs11Token({ ...place, laboratory: true, limits, deadlines, ...options });
}

const underTest = async () => {
  const token = await open();
  return {
    token,
    loseChannels: async () => {
      for (const pid of children()) process.kill(pid, 'SIGKILL');
      await eventually(() => token.checkValues(FLEET));
    },
    close: () => token.close(),
  };
};
tokenContract('PKCS#11 over SoftHSM', underTest);
tokenKeysContract('PKCS#11 over SoftHSM', underTest);

describe('PKCS#11 token: start', () => {
  const starts = (options: Partial<Pkcs11TokenOptions>) => async (): Promise<void> => {
    await using token = await open(options);
    await token.describe();
  };

  it('says TOKEN_PIN_WRONG to a wrong PIN', async () => {
    const pinFile = join(directory, 'wrong-pin');
    await writeFile(pinFile, '000000', { mode: 0o600 });
    await assert.rejects(starts({ pinFile }), { code: 'TOKEN_PIN_WRONG' });
  });

  it('refuses a PIN file that others may read', async () => {
    const pinFile = join(directory, 'open-pin');
    await writeFile(pinFile, '000000', { mode: 0o644 });
    await assert.rejects(starts({ pinFile }), { code: 'FILE_UNREADABLE' });
  });

  it('says TOKEN_UNAVAILABLE when module or token are missing', async () => {
    await assert.rejects(starts({ module: '/nonexistent.so' }), { code: 'TOKEN_UNAVAILABLE' });
    await assert.rejects(starts({ label: 'other' }), { code: 'TOKEN_UNAVAILABLE' });
  });

  it('refuses a software token outside a laboratory', async () => {
    await assert.rejects(starts({ laboratory: false }), { code: 'TOKEN_UNAVAILABLE' });
  });

  it('refuses masters of AES-256 card keys where the module cannot derive block by block', async () => {
    const softHsmConf = join(directory, 'poor.conf');
    const conf = await readFile(place.softHsmConf, 'utf8');
    await writeFile(softHsmConf, `${conf}slots.mechanisms = CKM_AES_CMAC,CKM_AES_CBC_ENCRYPT_DATA\n`);
    await assert.rejects(starts({ softHsmConf }), {
      code: 'TOKEN_UNAVAILABLE',
      context: {
        key: 'transport-master-aes-256',
        mechanism: 'AES_ECB_ENCRYPT_DATA',
        reason: 'the module does not offer it',
      },
    });
  });

  it('refuses constants that were changed since the ceremony', async () => {
    const constantsFile = join(directory, 'changed.json');
    const constants = JSON.parse(await readFile(place.constantsFile, 'utf8'));
    constants.entries[0].ivs[0] = '00'.repeat(16);
    await writeFile(constantsFile, JSON.stringify(constants));
    await assert.rejects(starts({ constantsFile }), { code: 'KEY_POLICY_BROKEN' });
    await writeFile(constantsFile, '{}');
    await assert.rejects(starts({ constantsFile }), { code: 'CONFIG_INVALID' });
    await assert.rejects(starts({ constantsFile: '/nonexistent' }), { code: 'FILE_UNREADABLE' });
  });

  it('refuses constants that were aimed at another EID, check values and all', async () => {
    const other = '89086030202200000022000023022943';
    const aim = (iv: string): string => toHex(xor(fromHex(iv), xor(fromHex(EID), fromHex(other))));
    const constants = JSON.parse(await readFile(place.constantsFile, 'utf8'));
    const entry = constants.entries.find((one: { master: string }) => one.master === 'transport-master');
    entry.ivs = entry.ivs.map(aim);
    await using token = await open();
    entry.checkValues = await token.checkValues({ ...TRANSPORT, eid: other });
    const constantsFile = join(directory, 'aimed.json');
    await writeFile(constantsFile, JSON.stringify(constants));
    await assert.rejects(starts({ constantsFile }), { code: 'KEY_POLICY_BROKEN' });
  });

  it('may be provisioned again without changing a key, and a key version added', async () => {
    const token = await open();
    const values = await token.checkValues(FLEET);
    await token.close();
    const again = await createGatewayToken({
      directory,
      ...provisioning,
      keyVersions: { ...contractKeyVersions, 'mdk-1': [0x31, 0x3f, 0x32] },
    });
    assert.deepEqual(again.publicKeys, place.publicKeys);
    await using reopened = await open();
    assert.deepEqual(await reopened.checkValues(FLEET), values);
    assert.notDeepEqual(await reopened.checkValues({ ...FLEET, keyVersion: 0x32 }), values);
  });
});

describe('PKCS#11 token: its process', () => {
  it('fails everything that waits when the process is killed, and comes back', async () => {
    await using token = await open();
    const pids = children();
    for (const pid of pids) process.kill(pid, 'SIGSTOP'); // So that every call waits for certain.
    const calls = Array.from({ length: 20 }, () => token.checkValues(FLEET));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    for (const outcome of await Promise.allSettled(calls)) {
      assert.equal(outcome.status, 'rejected');
      assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'HSM_FAILED');
    }
    assert.deepEqual(await eventually(() => token.checkValues(FLEET)), ['bb9a9a', '114149', 'a58282']);
    await token.close();
    assert.deepEqual(children(), []);
  });

  it('kills a process that does not answer within the deadline', async () => {
    await using token = await open({ deadlines: { ...tokenDeadlines, callMs: 200, respawnMs: 20 } });
    const [pid = 0] = children();
    process.kill(pid, 'SIGSTOP');
    const outcomes = await Promise.allSettled([
      token.sign('envelope', new Uint8Array(3)),
      token.checkValues(FLEET),
    ]);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : null)),
      ['HSM_FAILED', 'HSM_FAILED'],
    );
    await eventually(() => token.checkValues(FLEET));
    assert.ok(!children().includes(pid));
  });

  it('does not start again after a wrong PIN: another try could lock the token', async () => {
    const pinFile = join(directory, 'changing-pin');
    await writeFile(pinFile, await readFile(place.pinFile), { mode: 0o600 });
    let faults = 0;
    await using token = await open({ pinFile, onFault: () => faults++ });
    await writeFile(pinFile, '000000');
    for (const pid of children()) process.kill(pid, 'SIGKILL');
    await eventually(() => assert.rejects(() => token.checkValues(FLEET), { code: 'TOKEN_PIN_WRONG' }));
    await sleep(100);
    assert.equal(faults, 1);
  });

  it('replaces a process that has served long enough, which first finishes its channels', async () => {
    await using token = await open({ recycleAfterChannels: 2, limits: { channelsMax: 8, idleMs: 60_000 } });
    const [first] = children();
    const card = createCardModel(
      new Map([[0x30, deriveSet(contractMasters['transport-master'], 0, 0x30, EID)]]),
    );
    const old = await token.openChannel(TRANSPORT);
    await token.openChannel(TRANSPORT);
    await eventually(async () => assert.equal(children().length, 2));
    const prefix = old.channel.slice(0, 16);
    await eventually(async () => {
      const { channel } = await token.openChannel(TRANSPORT);
      await token.closeChannel(channel);
      assert.ok(!channel.startsWith(prefix));
    });
    await token.authenticate(
      old.channel,
      card.transmit(old.initializeUpdate),
      Buffer.from('a000000151000000', 'hex'),
    );
    await token.close();
    assert.deepEqual(children(), []);
    assert.notEqual(first, undefined);
  });

  it('closes a channel that nobody used for too long', async () => {
    await using token = await open({ limits: { channelsMax: 4, idleMs: 50 } });
    const { channel } = await token.openChannel(TRANSPORT);
    await sleep(80);
    await assert.rejects(() => token.wrap(channel, []), { code: 'DIALOGUE_LOST' });
  });

  it('says HSM_FAILED once it is closed', async () => {
    await using token = await open();
    await token.close();
    await assert.rejects(() => token.checkValues(FLEET), { code: 'HSM_FAILED' });
  });
});
