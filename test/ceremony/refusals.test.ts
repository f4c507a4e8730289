import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { conduct } from '../../runtime/cli/ceremony/conduct.ts';
import { planForm } from '../../runtime/core/ceremony/plan.ts';
import { checkPlan } from '../../runtime/core/ceremony/plan-check.ts';
import { verifyRecord } from '../../runtime/core/ceremony/verification.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import {
  AT,
  approve,
  components,
  custody,
  officers,
  planOf,
  roomOf,
  stranger,
  trusted,
  withCode,
} from './room.ts';

describe('a ceremony is refused', () => {
  const cases: readonly [string, Parameters<typeof planOf>[0], RegExp][] = [
    [
      'for a key that the policy does not know',
      { steps: [{ do: 'generate', key: 'mdk-0' }] },
      /knows no such/,
    ],
    ['for a root in the token of a gateway', { steps: [{ do: 'key-pair', key: 'root' }] }, /does not belong/],
    [
      'for a key that is made twice',
      {
        steps: [
          { do: 'generate', key: 'mdk-1' },
          { do: 'generate', key: 'mdk-1' },
        ],
      },
      /twice/,
    ],
    [
      'for an officer who holds a component too',
      {
        steps: [
          { do: 'join', key: 'mdk-1', components: [components[0], { ...components[1], custodian: 'eve' }] },
        ],
      },
      /custodian too/,
    ],
    [
      'for a backup of a key that never leaves its token',
      { steps: [{ do: 'key-pair', key: 'issuer-line-1', backup: { file: 'b', components } }] },
      /name it …-restorable/,
    ],
    [
      'for a restorable key without its backup',
      { steps: [{ do: 'key-pair', key: 'issuer-restorable-line-1' }] },
      /made with a backup/,
    ],
    [
      'for a pair that is restored under the name of one without a backup',
      { steps: [{ do: 'restore-pair', key: 'issuer-line-1', file: 'b', components, publicKey: 'AAAA' }] },
      /has no backup/,
    ],
    [
      'for masters of any kind in the token of the root',
      {
        token: { ...planOf().token, role: 'root', kdf: 'sp800-108' },
        steps: [{ do: 'key-pair', key: 'root' }],
      },
      /only a gateway/,
    ],
    [
      'for a triple DES master that is generated',
      { steps: [{ do: 'generate', key: 'transport-master-visa2' }] },
      /comes from its vendor/,
    ],
    [
      'for a triple DES master that is joined',
      { steps: [{ do: 'join', key: 'transport-master-visa2', components }] },
      /imported, not joined/,
    ],
    [
      'for a backup of a short key',
      { steps: [{ do: 'generate', key: 'transport-master-kdf3', backup: { file: 'b', components } }] },
      /only AES-256/,
    ],
    [
      'for an import under a key that signs',
      {
        steps: [
          {
            do: 'import',
            key: 'transport-master',
            file: 'w',
            under: { method: 'rsa-oaep', key: 'envelope' },
            checkValue: '000000',
          },
        ],
      },
      /unwraps nothing/,
    ],
    [
      'for constants of a key that is no master',
      { steps: [{ do: 'constants', file: 'c', keyVersions: { 'constants-seal': [1] } }] },
      /no master/,
    ],
    ['for a software token in production', { profile: 'production' }, /software/],
    [
      'for production on whatever token is there',
      {
        profile: 'production',
        token: { role: 'gateway', label: 'gateway', serial: null, class: 'hardware' },
      },
      /serial/,
    ],
  ];
  for (const [why, changes, told] of cases)
    it(why, async () => {
      const room = await roomOf(planOf(changes));
      await assert.rejects(conduct(room), withCode('CEREMONY_PLAN_REFUSED', { why: told }));
      assert.equal(room.shelf.files.size, 0);
    });

  it('with one officer, one custodian, components that cancel out, or words that show another plan', () => {
    const same = [components[0], { ...components[1], checkValue: components[0].checkValue }];
    const forms = [
      { steps: [{ do: 'join', key: 'mdk-1', components: same }] },
      { title: 'Masters\u001b[2K of line 1' },
      { token: { ...planOf().token, label: 'gate\u202eway' } },
      { quorum: { required: 1, officers: ['ada', 'bob'] } },
      { steps: [{ do: 'join', key: 'mdk-1', components: [components[0], components[0]] }] },
      { steps: [{ do: 'join', key: 'mdk-1', components: [components[0]] }] },
    ];
    for (const form of forms) assert.ok(!planForm.safeParse({ ...planOf(), ...form }).success);
    checkPlan(planOf());
  });

  it('on another token than the one that was approved', async () => {
    for (const other of [{ serial: 'ffff' }, { label: 'other' }, { softwareToken: false }]) {
      const description = { softwareToken: true, module: 'm', label: 'gateway', serial: 'a1b2', ...other };
      const room = await roomOf(planOf(), { token: { description } });
      await assert.rejects(conduct(room), withCode('CEREMONY_TOKEN_OTHER'));
      assert.equal(room.token.keys.size, 0);
    }
  });

  it('in a token that breaks the key policy, by one attribute of one key', async () => {
    const room = await roomOf(planOf());
    await room.token.generate('mdk-9');
    const [object] = room.token.keys.get('mdk-9')?.objects ?? [];
    assert.ok(object !== undefined);
    object.attributes = { ...object.attributes, ENCRYPT: true };
    const wrong = { key: 'mdk-9', attribute: 'CKA_ENCRYPT' };
    await assert.rejects(conduct(room), withCode('KEY_POLICY_BROKEN', wrong));
    assert.equal(room.token.keys.size, 1);
  });

  it('without approvals, with one, with one officer twice, with a stranger’s, and with an old one', async () => {
    const plan = planOf();
    const [ada, bob] = [await approve(plan, 'ada'), await approve(plan, 'bob')];
    const again = await approve(plan, 'ada', { reason: 'once more' });
    const old = await approve(plan, 'bob', { notAfter: instantOf(AT) });
    const forged = await approve(plan, 'bob', {}, stranger);
    const asBob = await approve(plan, 'bob', {}, officers.eve);
    const refusals: readonly [readonly string[], Parameters<typeof withCode>][] = [
      [[], ['APPROVALS_MISSING', { given: 0, required: 2 }]],
      [[ada], ['APPROVALS_MISSING', { given: 1, required: 2 }]],
      [
        [ada, ada],
        ['APPROVAL_REFUSED', { why: /twice/ }],
      ],
      [
        [ada, again],
        ['APPROVAL_REFUSED', { why: /twice/ }],
      ],
      [
        [ada, old],
        ['APPROVAL_REFUSED', { why: /no longer valid/ }],
      ],
      [
        [ada, forged],
        ['APPROVAL_REFUSED', { why: /known officer/ }],
      ],
      [
        [ada, asBob],
        ['APPROVAL_REFUSED', { why: /another officer/ }],
      ],
      [
        [bob, `${ada.slice(0, -4)}AAAA`],
        ['APPROVAL_REFUSED', {}],
      ],
    ];
    for (const [approvals, refusal] of refusals) {
      const room = await roomOf(plan, { approvals });
      await assert.rejects(conduct(room), withCode(...refusal));
      assert.equal(room.token.keys.size, 0);
    }
  });

  it('with approvals of another ceremony, or of this plan before it was altered', async () => {
    const approvals = await Promise.all((['ada', 'bob'] as const).map((name) => approve(planOf(), name)));
    const altered = [
      { id: '2d9d9c2a-5f0f-4b1f-9a43-0c8f5e6f7a01' },
      { title: 'Masters of line 2' },
      { steps: [...planOf().steps, { do: 'generate', key: 'mdk-2' }] },
      { token: { ...planOf().token, serial: null } },
      { quorum: { required: 2, officers: ['ada', 'bob'] } },
    ];
    for (const changes of altered) {
      const room = await roomOf(planOf(changes), { approvals });
      await assert.rejects(conduct(room), withCode('APPROVAL_REFUSED', { why: /something else/ }));
      assert.equal(room.token.keys.size, 0);
    }
  });

  it('at the step whose own officers are missing, with what is before it done', async () => {
    const own = { required: 1, officers: ['eve'] };
    const plan = planOf({
      steps: [
        { do: 'generate', key: 'constants-seal' },
        { do: 'join', key: 'mdk-1', components, quorum: own },
      ],
    });
    const room = await roomOf(plan);
    await assert.rejects(conduct(room), withCode('APPROVALS_MISSING', { step: 2, given: 0, required: 1 }));
    assert.deepEqual([...room.token.keys.keys()], ['constants-seal']);
    const approvals = [...room.approvals, await approve(plan, 'eve')];
    assert.ok(verifyRecord(await conduct({ ...room, approvals }), trusted, nodeCrypto));
  });

  it('at a step with officers of its own, while those of the plan are missing', async () => {
    const plan = planOf({
      quorum: { required: 2, officers: ['ada', 'bob'] },
      steps: [{ do: 'generate', key: 'mdk-1', quorum: { required: 1, officers: ['eve'] } }],
    });
    const room = await roomOf(plan, { approvals: [await approve(plan, 'ada'), await approve(plan, 'eve')] });
    await assert.rejects(conduct(room), withCode('APPROVALS_MISSING', { given: 1, required: 2 }));
    assert.equal(room.token.keys.size, 0);
  });

  it('under a conductor who has no say in it, or whose key is another, before anything is done', async () => {
    const conductors = [
      { name: 'zoe', signer: officers.zoe },
      { name: 'ada', signer: officers.bob },
      { name: 'ada', signer: stranger },
    ];
    for (const conductor of conductors) {
      const room = { ...(await roomOf(planOf())), conductor };
      await assert.rejects(conduct(room), withCode('CEREMONY_PLAN_REFUSED', { officer: conductor.name }));
      assert.deepEqual([room.token.keys.size, room.shelf.files.size], [0, 0]);
    }
  });

  it('when the approvals end in the middle, until there are new ones', async () => {
    const plan = planOf();
    const soon = { notAfter: instantOf(AT + 1045) };
    const approvals = [await approve(plan, 'ada', soon), await approve(plan, 'bob', soon)];
    const room = await roomOf(plan, { approvals });
    await assert.rejects(conduct(room), withCode('APPROVAL_REFUSED', { why: /no longer valid/ }));
    const count = room.token.keys.size;
    assert.ok(count > 0 && count < 4);
    const fresh = [await approve(plan, 'ada'), await approve(plan, 'eve')];
    const { record } = verifyRecord(await conduct({ ...room, approvals: fresh }), trusted, nodeCrypto);
    assert.equal(record.approvals.length, 4);
  });

  it('with a wrong component, of which nothing stays', async () => {
    const files = new Map([
      ['carla.key', custody.carla.component],
      ['dario.key', custody.carla.component],
    ]);
    const room = await roomOf(planOf(), { token: { components: files } });
    await assert.rejects(conduct(room), withCode('CEREMONY_COMPONENT_WRONG', { custodian: 'dario' }));
    assert.deepEqual([...room.token.keys.keys()], ['constants-seal']);
  });

  it('beside a gate controller’s key that somebody laid there before', async () => {
    const plan = planOf({ steps: [{ do: 'release-tag', controller: 'c1', file: 'c1.tag.key' }] });
    const room = await roomOf(plan);
    room.shelf.files.set('record/c1.tag.key', new Uint8Array(33));
    await assert.rejects(conduct(room), withCode('CEREMONY_KEY_DIFFERS', { file: 'c1.tag.key' }));
  });

  it('in the directory of another ceremony', async () => {
    const room = await roomOf(planOf());
    await conduct(room);
    const other = planOf({ title: 'another' });
    const second = await roomOf(other, { shelf: room.shelf });
    await assert.rejects(conduct(second), withCode('CEREMONY_PLAN_REFUSED', { why: /another ceremony/ }));
  });
});
