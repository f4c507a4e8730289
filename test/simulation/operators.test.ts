/** Who may sign in at a simulated plant: whom officers registered, until they remove it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { operatorOrderHash, registerOperatorInstruction } from '../../runtime/core/messages/operator.ts';
import { pass } from './by-hand.ts';
import {
  AUTHORITY,
  approvals,
  BADGE,
  history,
  lasting,
  makes,
  orderFor,
  plant,
  refusedWith,
  registered,
  removed,
  shiftFacts,
  shown,
  signIn,
  signOut,
  toldOf,
  UNATTENDED,
} from './shift-plant.ts';

describe('an operator of a simulated plant', () => {
  it('is not let in with a badge that nobody registered, and nothing is written', async () => {
    const world = await plant('unknown badge');
    await registered(world, BADGE);
    await assert.rejects(signIn(world, '0004799'), refusedWith('OPERATOR_UNKNOWN'));
    assert.deepEqual([shiftFacts(world).length, (await shown(world)).inCharge], [0, UNATTENDED]);
  });

  it('waits ten minutes where ten unknown badges were shown: they cannot be tried one by one', async () => {
    const world = await plant('trying badges');
    await registered(world, BADGE);
    for (let i = 0; i < 10; i++)
      await assert.rejects(signIn(world, `000480${i}`), refusedWith('OPERATOR_UNKNOWN'));
    await assert.rejects(signIn(world, BADGE), refusedWith('SIGN_IN_BARRED'));
    await pass(world, 605_000);
    assert.equal((await signIn(world, BADGE)).name, 'Ada L.');
  });

  it('is named no longer once officers have removed the registration, in the middle of a shift too', async () => {
    const world = await plant('removed');
    const pseudonym = await registered(world, BADGE);
    await signIn(world, BADGE);
    await makes(world, 1);
    await removed(world, pseudonym, false);
    await makes(world, 2);
    assert.deepEqual((await toldOf(world)).records, [pseudonym, AUTHORITY]);
    await assert.rejects(signIn(world, BADGE), refusedWith('OPERATOR_UNKNOWN'));
  });

  it('is forgotten with its key: the pseudonym stays, and the badge gives another one', async () => {
    const world = await plant('forgotten');
    const pseudonym = await registered(world, BADGE, 'Ada Lovelace');
    await signIn(world, BADGE);
    await signOut(world);
    await removed(world, pseudonym, true);
    assert.equal(world.fleet.tables.operatorKeys.all().length, 0);
    assert.ok(history(world).includes(pseudonym));
    const order = { ...orderFor(BADGE, 'Ada Lovelace'), salt: '5b'.repeat(16) };
    const by = await approvals(world, operatorOrderHash(order, nodeCrypto));
    const { backend } = world.instructions;
    const again = await lasting(
      world,
      backend.instruct(registerOperatorInstruction, { order, approvals: by }),
    );
    assert.notEqual(again.pseudonym, pseudonym);
  });

  it('is registered by officers alone, once an order, and no badge twice', async () => {
    const world = await plant('who registers');
    const order = orderFor(BADGE, 'Ada L.');
    const by = await approvals(world, operatorOrderHash(order, nodeCrypto));
    const told = (body: { order: typeof order; approvals: string[] }) =>
      lasting(world, world.instructions.backend.instruct(registerOperatorInstruction, body));
    await assert.rejects(told({ order, approvals: by.slice(1) }), refusedWith('APPROVALS_MISSING'));
    await assert.rejects(
      told({ order: { ...order, badge: '0004712' }, approvals: by }),
      refusedWith('APPROVAL_REFUSED'),
    );
    const { pseudonym } = await told({ order, approvals: by });
    assert.equal((await told({ order, approvals: by })).pseudonym, pseudonym);
    const another = { ...order, salt: '5b'.repeat(16) };
    const theirs = await approvals(world, operatorOrderHash(another, nodeCrypto));
    await assert.rejects(told({ order: another, approvals: theirs }), refusedWith('OPERATOR_REFUSED'));
    await removed(world, pseudonym, true);
    await assert.rejects(told({ order, approvals: by }), refusedWith('OPERATOR_REFUSED'));
  });
});
