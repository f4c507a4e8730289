import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createInMemoryShelf } from '../../drivers/shelf/in-memory.ts';
import { createSimulatedCeremonyToken } from '../../drivers/token/ceremony-simulated.ts';
import { conduct } from '../../runtime/cli/ceremony/conduct.ts';
import { fromHex, fromText } from '../../runtime/core/bytes.ts';
import { verifyRecord } from '../../runtime/core/ceremony/verification.ts';
import { components, custody, gatewayToken, JOINED, planOf, roomOf, trusted, withCode } from './room.ts';

describe('a ceremony', () => {
  it('does every step once, and its record proves who approved, what was made and from where it comes', async () => {
    const room = await roomOf(planOf());
    const { record, checks } = verifyRecord(await conduct(room), trusted, nodeCrypto);
    assert.deepEqual(
      record.steps.map(({ did, key, file }) => [did, key?.key ?? file?.file, key?.origin ?? null]),
      [
        ['done', 'constants-seal', 'inside'],
        ['done', 'mdk-1', 'outside'],
        ['done', 'transport-master', 'outside'],
        ['done', 'issuer-line-1', 'inside'],
        ['done', 'constants.json', null],
        ['done', 'c1.tag.key', null],
      ],
    );
    assert.deepEqual(
      record.steps[0]?.approvals.map(({ officer }) => officer),
      ['ada', 'bob'],
    );
    assert.ok(checks.includes('step 2: generate mdk-1'));
    const seal = record.steps[0]?.key?.objects[0]?.attributes;
    assert.deepEqual([seal?.LOCAL, seal?.EXTRACTABLE, seal?.ALLOWED_MECHANISMS], [true, false, ['AES_CMAC']]);
  });

  it('says plainly what the token enforces and what only our code does', async () => {
    const { record } = verifyRecord(await conduct(await roomOf(planOf())), trusted, nodeCrypto);
    assert.match(record.enforcedByToken.join(' '), /No key of this record leaves the token/);
    assert.match(
      record.enforcedByCodeAlone.join(' '),
      /The quorum of officers: the token obeys whoever has the PIN/,
    );
    assert.match(record.enforcedByCodeAlone.join(' '), /computes in the memory of this machine/);
  });

  it('holds no component and no key, in its record or in any file but the gate controller’s', async () => {
    const room = await roomOf(planOf());
    const jws = await conduct(room);
    const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString();
    const texts = [
      payload,
      ...[...room.shelf.files.values()].map((bytes) => Buffer.from(bytes).toString('latin1')),
    ];
    const secrets = [...Object.values(custody).map(({ component }) => component)];
    for (const { value } of room.token.keys.values()) secrets.push(Buffer.from(value).toString('hex'));
    for (const text of texts)
      for (const secret of secrets) {
        assert.ok(!text.includes(secret));
        assert.ok(!text.includes(Buffer.from(fromHex(secret)).toString('latin1')));
      }
  });

  it('makes masters of the kind that its plan names, generated, joined and restored, and no others pass for them', async () => {
    const steps = [
      { do: 'generate', key: 'mdk-1' },
      { do: 'generate', key: 'mdk-2-aes-256', backup: { file: 'mdk-2.wrapped', components } },
      { do: 'join', key: 'transport-master', components, checkValue: JOINED },
    ];
    const { token } = planOf();
    const plan = planOf({ token: { ...token, kdf: 'sp800-108' }, steps });
    const room = await roomOf(plan);
    const jws = await conduct(room);
    const { record } = verifyRecord(jws, trusted, nodeCrypto);
    for (const { key } of record.steps)
      assert.deepEqual(key?.objects[0]?.attributes.ALLOWED_MECHANISMS, ['SP800_108_COUNTER_KDF'], key?.key);
    room.shelf.files.delete('record/record.jws');
    const portable = createSimulatedCeremonyToken({
      role: 'gateway',
      description: gatewayToken,
      components: new Map(),
    });
    await portable.generate('mdk-1');
    room.token.keys.set('mdk-1', portable.keys.get('mdk-1') ?? assert.fail());
    await assert.rejects(
      conduct(room),
      withCode('KEY_POLICY_BROKEN', { key: 'mdk-1', attribute: 'CKA_ALLOWED_MECHANISMS' }),
    );
    // Plans of before have no such word, and their hashes stay what officers approved.
    assert.ok(!('kdf' in token));
  });

  it('may have as many steps as its record can hold, and no more', async () => {
    const steps = Array.from({ length: 48 }, (_, i) => ({ do: 'key-pair', key: `issuer-batch-${i}` }));
    const plan = planOf({ steps });
    const { record } = verifyRecord(await conduct(await roomOf(plan)), trusted, nodeCrypto);
    assert.equal(record.steps.length, 48);
    assert.throws(() => planOf({ steps: [...steps, { do: 'key-pair', key: 'envelope' }] }));
  });

  it('is over when it is over: run again it answers the same record and touches nothing', async () => {
    const room = await roomOf(planOf());
    const first = await conduct(room);
    const before = new Map([...room.token.keys].map(([label, key]) => [label, key.value]));
    assert.equal(await conduct(room), first);
    assert.deepEqual(new Map([...room.token.keys].map(([label, key]) => [label, key.value])), before);
  });

  it('recognises what stood before it by its attributes, says so, and does not make it again', async () => {
    const plan = planOf({ steps: [{ do: 'generate', key: 'constants-seal' }] });
    const room = await roomOf(plan);
    await room.token.generate('constants-seal');
    const value = room.token.keys.get('constants-seal')?.value;
    const { record } = verifyRecord(await conduct(room), trusted, nodeCrypto);
    assert.equal(record.steps[0]?.did, 'found');
    assert.equal(room.token.keys.get('constants-seal')?.value, value);
  });
});

describe('a ceremony that is interrupted at any moment', () => {
  it('goes on and makes each key exactly once', async () => {
    const plan = planOf();
    const quiet = await roomOf(plan);
    await conduct(quiet);
    for (let strike = 1; ; strike++) {
      let moments = 0;
      const made = new Map<string, number>();
      let striking = true;
      const moment = (): void => {
        moments++;
        if (striking && moments === strike) throw new Error('the power failed');
      };
      const shelf = createInMemoryShelf(moment);
      const onChange = (verb: string, when: 'before' | 'after'): void => {
        if (when === 'after') made.set(verb, (made.get(verb) ?? 0) + 1);
        moment();
      };
      const files = new Map(
        Object.entries(custody).map(([name, { component }]) => [`${name}.key`, component]),
      );
      const room = await roomOf(plan, { shelf, token: { onChange, components: files } });
      const died = await conduct(room).then(
        () => false,
        () => true,
      );
      striking = false;
      const { record } = verifyRecord(await conduct(room), trusted, nodeCrypto);
      assert.equal(record.steps.length, plan.steps.length);
      assert.deepEqual(
        [made.get('generate'), made.get('join'), made.get('unwrap')],
        [2, 1, 1],
        `moment ${strike}`,
      );
      assert.ok((made.get('wrapNewborn') ?? 0) <= 2);
      if (!died) break;
      assert.ok(strike < 100);
    }
  });

  it('refuses to go on when a backup is another than the one it wrote, or gone', async () => {
    for (const backup of [null, fromText('another backup')]) {
      const room = await roomOf(planOf());
      await conduct(room);
      room.shelf.files.delete('record/record.jws');
      if (backup === null) room.shelf.files.delete('record/mdk-1.wrapped');
      else room.shelf.files.set('record/mdk-1.wrapped', backup);
      await assert.rejects(conduct(room), withCode('CEREMONY_KEY_DIFFERS', { why: /backup is not/ }));
    }
  });

  it('refuses to go on when a key is another than the one it made', async () => {
    const room = await roomOf(planOf());
    await conduct(room);
    room.shelf.files.delete('record/record.jws');
    room.token.keys.delete('mdk-1');
    await room.token.generate('mdk-1');
    await assert.rejects(conduct(room), withCode('CEREMONY_KEY_DIFFERS', { key: 'mdk-1' }));
  });
});

describe('backup and restore', () => {
  const backedUp = planOf({
    steps: [{ do: 'generate', key: 'mdk-1', backup: { file: 'mdk-1.wrapped', components } }],
  });

  it('bring the same key into a new token under dual control', async () => {
    const room = await roomOf(backedUp);
    const { record } = verifyRecord(await conduct(room), trusted, nodeCrypto);
    const checkValue = record.steps[0]?.key?.checkValue;
    const plan = planOf({ steps: [{ do: 'restore', key: 'mdk-1', file: 'b', components, checkValue }] });
    const later = await roomOf(plan);
    later.shelf.files.set('record/b', room.shelf.files.get('record/mdk-1.wrapped') ?? fromText(''));
    verifyRecord(await conduct(later), trusted, nodeCrypto);
    assert.deepEqual(later.token.keys.get('mdk-1')?.value, room.token.keys.get('mdk-1')?.value);
  });

  it('are refused for a backup of another key, for spoilt bytes, and for a backup that lies there already', async () => {
    const room = await roomOf(backedUp);
    await conduct(room);
    const good = room.shelf.files.get('record/mdk-1.wrapped') ?? fromText('');
    const plan = planOf({
      steps: [{ do: 'restore', key: 'mdk-1', file: 'b', components, checkValue: '000000' }],
    });
    const other = await roomOf(plan);
    other.shelf.files.set('record/b', good);
    await assert.rejects(conduct(other), withCode('CEREMONY_KEY_DIFFERS', { key: 'mdk-1' }));
    for (const at of good.keys()) {
      const spoilt = await roomOf(plan);
      spoilt.shelf.files.set(
        'record/b',
        good.map((byte, i) => (i === at ? byte ^ 1 : byte)),
      );
      await assert.rejects(conduct(spoilt), withCode('HSM_FAILED'));
      assert.equal(spoilt.token.keys.size, 0);
    }
    const bare = await roomOf(backedUp);
    await bare.token.generate('mdk-1');
    await assert.rejects(conduct(bare), withCode('CEREMONY_KEY_DIFFERS', { why: /backup is not there/ }));
    const planted = await roomOf(backedUp);
    planted.shelf.files.set('record/mdk-1.wrapped', good);
    await assert.rejects(conduct(planted), withCode('CEREMONY_KEY_DIFFERS', { why: /before the key/ }));
  });
});
