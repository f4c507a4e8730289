/** A station that plays its receipts again after its unit has left, or under an older epoch: nothing is given, and the log has it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dialogueOpenExchange, registerExchange } from '../../runtime/core/messages/exchanges.ts';
import { ask, type Sent, watchedWorld } from '../simulation/by-hand.ts';
import { given, refusalsInLog } from './attack.ts';

const DAY_MS = 86_400_000;

/** A line whose unit has left, and what its station sent for it. */
async function afterOneUnit() {
  const { world, sent } = await watchedWorld({ seed: 'played again', stations: 1, units: 1 });
  await world.run(DAY_MS);
  const last = (topic: string): Sent =>
    sent.findLast((one) => one.topic.endsWith(topic)) ?? assert.fail(topic);
  return { world, last };
}

const bindingOf = ({ operation, epoch }: Sent) => ({ operation: operation ?? '', epoch: epoch ?? 0 });

describe('a reservation that was used', () => {
  it('registers nothing a second time, and that is in the log', async () => {
    const { world, last } = await afterOneUnit();
    const register = last('backend/register');
    const before = [world.fleet.tables.releases.all().length, world.fleet.tables.records.all().length];
    const again = { body: register.body, binding: bindingOf(register) };
    assert.equal((await ask(world, 1, registerExchange, again)).refused, 'UNIT_RELEASED_BEFORE');
    assert.deepEqual(
      [world.fleet.tables.releases.all().length, world.fleet.tables.records.all().length],
      before,
    );
    assert.deepEqual(refusalsInLog(world), ['UNIT_RELEASED_BEFORE station-1 SIM-1']);
    await ask(world, 1, registerExchange, again);
    assert.equal(refusalsInLog(world).length, 1, 'the same is one event');
  });

  it('registers nothing under an epoch that it does not name, and that is in the log', async () => {
    const { world, last } = await afterOneUnit();
    const register = last('backend/register');
    const other = { operation: register.operation ?? '', epoch: 2 };
    const { refused } = await ask(world, 1, registerExchange, { body: register.body, binding: other });
    assert.equal(refused, 'CONFIRMATION_INVALID');
    assert.deepEqual(refusalsInLog(world), ['CONFIRMATION_INVALID station-1 SIM-1']);
  });

  it('gets no second certificate and no second confirmation from a gateway', async () => {
    const { world, last } = await afterOneUnit();
    const opening = last('gateway/open');
    const before = { ...given(world), conclusions: world.ledger.tables.conclusions.all().length };
    await ask(world, 1, dialogueOpenExchange, { body: opening.body, binding: bindingOf(opening) });
    await world.run(DAY_MS);
    const { dialogues: _, ...now } = {
      ...given(world),
      conclusions: world.ledger.tables.conclusions.all().length,
    };
    assert.deepEqual({ ...now, dialogues: before.dialogues }, before);
  });
});
