/** A token whose sessions die: its process ends and another takes over; what is merely refused ends nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  createGatewayToken,
  type GatewayToken,
  SOFTHSM_MODULE,
} from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token, type Pkcs11TokenOptions } from '../../drivers/token/pkcs11/token.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { Token } from '../../runtime/core/token.ts';
import {
  CONTRACT_CHANNELS_MAX,
  contractKeyVersions,
  contractMasters,
  contractSigningKeys,
  FLEET,
  TRANSPORT,
} from '../contracts/token-support.ts';
import { children, eventually } from './patience.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-faulty-'));
const module = join(directory, 'faulty.so');
const trigger = join(directory, 'code');
const message = new Uint8Array(16);
let place: GatewayToken;

before(async () => {
  const source = join('test', 'token', 'faulty-module.c');
  const define = `-DREAL_MODULE="${SOFTHSM_MODULE}"`;
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', define, source, '-o', module, '-ldl']);
  place = await createGatewayToken({
    directory: join(directory, 'token'),
    label: 'gateway',
    masters: contractMasters,
    keyVersions: contractKeyVersions,
    signingKeys: contractSigningKeys,
  });
});
after(() => rmSync(directory, { recursive: true, force: true }));

function open(options: Partial<Pkcs11TokenOptions> = {}): Promise<Token & AsyncDisposable> {
  process.env.FAULTY_MODULE_FILE = trigger;
  const limits = { channelsMax: CONTRACT_CHANNELS_MAX, idleMs: 60_000 };
  return openPkcs11Token({
    ...place,
    module,
    laboratory: true,
    limits,
    deadlines: { respawnMs: 20 },
    ...options,
  });
}

/** The next signature fails with this code; answers what the gateway is told. */
async function failing(token: Token, code: number): Promise<unknown> {
  writeFileSync(trigger, code.toString(16));
  try {
    await token.sign('envelope', message);
  } catch (error) {
    assert.ok(isFault(error) && error.code === 'HSM_FAILED', String(error));
    assert.ok(!existsSync(trigger));
    return error.context.ckr;
  }
  return assert.fail('the signature was made');
}

/** PKCS#11 2.40 section 5.1. */
const FATAL = {
  CKR_DEVICE_ERROR: 0x30,
  CKR_DEVICE_REMOVED: 0x32,
  CKR_SESSION_HANDLE_INVALID: 0xb3,
  CKR_TOKEN_NOT_PRESENT: 0xe0,
  CKR_USER_NOT_LOGGED_IN: 0x101,
};

describe('a token whose sessions die', () => {
  it('is served by a new process after each error that leaves nothing to rely on', async () => {
    await using token = await open();
    for (const [name, code] of Object.entries(FATAL)) {
      const [before] = children();
      const { channel } = await token.openChannel(TRANSPORT);
      assert.equal(await failing(token, code), name);
      await eventually(() => token.sign('envelope', message));
      const [now, ...others] = children();
      assert.deepEqual(others, [], `${name}: the old process is still there`);
      assert.notEqual(now, before, name);
      await assert.rejects(() => token.wrap(channel, []), { code: 'DIALOGUE_LOST' });
    }
  });

  it('keeps its process, and the dialogues in it, after an error that concerns one call', async () => {
    await using token = await open();
    const [before] = children();
    const { channel } = await token.openChannel(TRANSPORT);
    assert.equal(await failing(token, 0x68), 'CKR_KEY_FUNCTION_NOT_PERMITTED');
    await token.sign('envelope', message);
    assert.deepEqual(children(), [before]);
    await token.closeChannel(channel);
  });
});

describe('a token process that has grown', () => {
  it('is replaced, and ends when its last channel is closed', async () => {
    await using token = await open({ recycleAfterBytes: 1 });
    const [grown] = children();
    const { channel: kept } = await token.openChannel(TRANSPORT);
    await eventually(async () => {
      // Its memory is weighed after some answers, and the next channel after that is the occasion.
      for (let i = 0; i < 70; i++) await token.checkValues(FLEET);
      const { channel } = await token.openChannel(TRANSPORT);
      await token.closeChannel(channel);
      assert.ok(children().length > 1);
    });
    assert.ok(children().includes(grown ?? 0), 'it finishes its own first');
    await token.closeChannel(kept);
    await eventually(async () => assert.ok(!children().includes(grown ?? 0)));
  });

  it('opens what a dialogue still needs, since one channel of it wraps the keys that another drew', async () => {
    await using token = await open({ recycleAfterChannels: 1 });
    const { channel } = await token.openChannel(TRANSPORT, 's8', 'one');
    await eventually(async () => assert.ok(children().length > 1));
    const opened = async (dialogue: string) =>
      (await token.openScratchChannel(0x3f, 'aes-128', 's8', dialogue)).channel.split('-')[0];
    let others = 0;
    await eventually(async () => assert.notEqual(await opened(`other ${++others}`), channel.split('-')[0]));
    assert.equal(await opened('one'), channel.split('-')[0]);
  });
});
