/** What every token does in a ceremony, on the real driver and on the simulated one. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import type { CeremonyToken, ComponentSource } from '../../runtime/core/ceremony/token.ts';
import { BORN_INSIDE, firstDifference } from '../../runtime/core/key-attributes.ts';
import { ruleFor } from '../../runtime/core/key-policy.ts';
import { ID, JOINED, withCode } from '../ceremony/room.ts';

export interface CeremonyTokenUnderTest {
  readonly token: CeremonyToken;
  /** Components that join to a key of the check value `JOINED`. */
  readonly sources: readonly ComponentSource[];
}

/** @param open a token of a gateway with nothing in it */
export function ceremonyTokenContract(open: () => Promise<CeremonyTokenUnderTest>): void {
  let token: CeremonyToken;
  let sources: readonly ComponentSource[];
  before(async () => {
    ({ token, sources } = await open());
  });
  after(() => token.close());
  const under = () => ({ method: 'aes-kwp', components: sources }) as const;

  it('has no key before one is made', async () => {
    assert.equal(await token.readKey('mdk-1'), null);
    assert.equal(await token.readKey('issuer-line-1'), null);
  });

  it('tells of what it made inside every attribute that the policy demands, and its birth', async () => {
    for (const label of ['mdk-1', 'issuer-line-1']) {
      await token.generate(label);
      const key = await token.readKey(label);
      for (const { kind, attributes } of key?.objects ?? []) {
        const rule = ruleFor(kind, label) ?? assert.fail();
        assert.equal(firstDifference(rule, label, attributes), null, label);
        if (kind === 'public') continue;
        for (const [name, value] of Object.entries(BORN_INSIDE)) assert.equal(attributes[name], value, name);
      }
      assert.equal(key?.objects.length, label === 'mdk-1' ? 1 : 2);
      assert.equal(key?.checkValue === null, label !== 'mdk-1');
      assert.equal(key?.publicKey === null, label === 'mdk-1');
    }
    await token.audit();
  });

  it('sends a gate controller’s key to each recipient in its own part, another one each time', async () => {
    const entropy = createSimulatedEntropy('recipients of the contract');
    const recipients = ['backend-1', 'gate-1'].map((name) => ({
      name,
      publicKey: toHex(nodeCrypto.drawAgreementKey(entropy).publicKey),
    }));
    const cargo = { ceremony: ID, controller: 'gate-1' };
    const [first, second] = [
      await token.carryTagKey(cargo, recipients),
      await token.carryTagKey(cargo, recipients),
    ];
    assert.match(first.checkValue, /^[0-9a-f]{6}$/);
    assert.notEqual(first.checkValue, second.checkValue);
    assert.equal(new Set([...first.keys, ...second.keys]).size, 4);
    const nobody = [{ name: 'x', publicKey: `04${'11'.repeat(64)}` }];
    await assert.rejects(token.carryTagKey(cargo, nobody), withCode('ENVELOPE_INVALID'));
  });

  it('joins components to the key that they make, and to no other', async () => {
    await assert.rejects(
      token.join('mdk-2', sources, '000000'),
      withCode('CEREMONY_KEY_DIFFERS', { found: JOINED }),
    );
    assert.equal(await token.readKey('mdk-2'), null);
    await token.join('mdk-2', sources, JOINED);
    const key = await token.readKey('mdk-2');
    assert.deepEqual([key?.checkValue, key?.objects[0]?.attributes.LOCAL], [JOINED, false]);
    await token.audit();
  });

  it('wraps a new key that is nowhere else, and unwraps it again', async () => {
    const wrapped = await token.wrapNewborn(sources);
    assert.equal(wrapped.length, 40);
    assert.notDeepEqual(await token.wrapNewborn(sources), wrapped);
    await token.unwrap('mdk-3', wrapped, under(), null);
    const first = await token.readKey('mdk-3');
    await token.unwrap('mdk-4', wrapped, under(), first?.checkValue ?? '');
    assert.equal((await token.readKey('mdk-4'))?.checkValue, first?.checkValue);
    assert.equal(first?.objects[0]?.attributes.NEVER_EXTRACTABLE, false);
    await token.audit();
  });

  it('wraps a new pair that is nowhere else, and keeps what comes out of it under its name, once', async () => {
    for (const label of ['issuer-restorable-line-1', 'issuer-p384-restorable-line-1']) {
      const pair = await token.wrapNewbornPair(label, sources);
      assert.notDeepEqual((await token.wrapNewbornPair(label, sources)).publicKey, pair.publicKey);
      assert.equal(await token.readKey(label), null);
      await token.unwrapPair(label, pair, sources);
      const kept = await token.readKey(label);
      assert.equal(kept?.publicKey, pair.publicKey);
      const [hidden] = kept?.objects ?? [];
      const { EXTRACTABLE, SENSITIVE, LOCAL, NEVER_EXTRACTABLE } = hidden?.attributes ?? {};
      assert.deepEqual(
        [hidden?.kind, EXTRACTABLE, SENSITIVE, LOCAL, NEVER_EXTRACTABLE],
        ['private', false, true, false, false],
      );
      for (const { kind, attributes } of kept?.objects ?? [])
        assert.equal(firstDifference(ruleFor(kind, label) ?? assert.fail(), label, attributes), null);
      await token.unwrapPair(label, pair, sources);
      assert.deepEqual(await token.readKey(label), kept);
      await token.audit();
    }
  });

  it('keeps nothing of a pair with another’s public key, of a spoilt one, or under a wrong component', async () => {
    const label = 'issuer-restorable-line-2';
    const [pair, other] = [
      await token.wrapNewbornPair(label, sources),
      await token.wrapNewbornPair(label, sources),
    ];
    const mixed = { ...pair, publicKey: other.publicKey };
    await assert.rejects(token.unwrapPair(label, mixed, sources), withCode('CEREMONY_KEY_DIFFERS'));
    const spoilt = { ...pair, wrapped: pair.wrapped.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) };
    await assert.rejects(token.unwrapPair(label, spoilt, sources), withCode('HSM_FAILED'));
    const wrong = sources.map((source, i) => (i === 0 ? { ...source, checkValue: '000000' } : source));
    await assert.rejects(token.unwrapPair(label, pair, wrong), withCode('CEREMONY_COMPONENT_WRONG'));
    assert.equal(await token.readKey(label), null);
  });

  it('keeps nothing of what is spoilt, of another check value, or under a wrong component', async () => {
    const wrapped = await token.wrapNewborn(sources);
    const spoilt = wrapped.map((byte, i) => (i === 7 ? byte ^ 0x80 : byte));
    await assert.rejects(token.unwrap('mdk-5', spoilt, under(), null), withCode('HSM_FAILED'));
    await assert.rejects(token.unwrap('mdk-5', wrapped, under(), '000000'), withCode('CEREMONY_KEY_DIFFERS'));
    const [first, ...others] = sources;
    const wrong = [{ custodian: 'x', file: null, ...first, checkValue: '000000' }, ...others];
    const refused = withCode('CEREMONY_COMPONENT_WRONG', { custodian: first?.custodian });
    await assert.rejects(token.wrapNewborn(wrong), refused);
    await assert.rejects(token.join('mdk-5', wrong, null), refused);
    const components = { method: 'aes-kwp', components: wrong } as const;
    await assert.rejects(token.unwrap('mdk-5', wrapped, components, null), refused);
    assert.equal(await token.readKey('mdk-5'), null);
  });
}
