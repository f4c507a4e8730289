import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createSimulatedToken, type SimulatedToken } from '../../drivers/token/simulated.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { tokenContract } from '../contracts/token.contract.ts';
import { tokenKeysContract } from '../contracts/token-keys.contract.ts';
import { CONTRACT_CHANNELS_MAX, contractMasters, contractSigningKeys } from '../contracts/token-support.ts';

const FLEET = {
  origin: 'fleet',
  algorithm: 'aes-128',
  generation: 1,
  eid: '89049032123451234512345678901235',
  keyVersion: 0x31,
} as const;

function create(seed: string, monotonicMs: () => number = () => 0): SimulatedToken {
  const entropy = createSimulatedEntropy(seed);
  return createSimulatedToken({
    entropy,
    masters: contractMasters,
    signingKeys: Object.fromEntries(
      contractSigningKeys.map((name) => [name, privateKeyFrom(entropy.bytes(40))]),
    ),
    limits: { channelsMax: CONTRACT_CHANNELS_MAX, idleMs: 1000 },
    monotonicMs,
  });
}

const underTest = async () => {
  const token = create('contract');
  return { token, loseChannels: async () => token.loseChannels(), close: () => token.close() };
};
tokenContract('simulated', underTest);
tokenKeysContract('simulated', underTest);

describe('simulated token', () => {
  it('gives the same bytes for the same seed', async () => {
    const run = async (seed: string): Promise<readonly string[]> => {
      const token = create(seed);
      const { channel, initializeUpdate } = await token.openChannel(FLEET);
      const signature = await token.sign('envelope', initializeUpdate);
      return [channel, toHex(initializeUpdate), toHex(signature)];
    };
    assert.deepEqual(await run('a'), await run('a'));
    assert.notDeepEqual(await run('a'), await run('b'));
  });

  it('fails the next verb once, or the next one of a name', async () => {
    const token = create('fail');
    token.failNext();
    await assert.rejects(() => token.describe(), { code: 'HSM_FAILED' });
    await token.describe();
    token.failNext('TOKEN_UNAVAILABLE', 'checkValues');
    await token.describe();
    await assert.rejects(() => token.checkValues(FLEET), { code: 'TOKEN_UNAVAILABLE' });
    await token.checkValues(FLEET);
  });

  it('closes a channel that nobody used for too long', async () => {
    let nowMs = 0;
    const token = create('idle', () => nowMs);
    const { channel } = await token.openChannel(FLEET);
    nowMs = 999;
    const other = await token.openChannel(FLEET);
    nowMs = 1001;
    await assert.rejects(() => token.wrap(channel, []), { code: 'DIALOGUE_LOST' });
    await token.closeChannel(other.channel);
  });
});
