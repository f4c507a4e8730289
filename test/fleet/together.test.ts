/** Items that wait together: their reads share a flight, and each is decided on what those before it have left. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createInMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import type { Shared } from '../../runtime/backend/draft.ts';
import type { BackendPorts } from '../../runtime/backend/ports.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import { Fault, isFault } from '../../runtime/core/faults.ts';

function sequencerOn(): { sequencer: Sequencer; arrivals: () => Record<string, number>; order: string[] } {
  const fleet = createInMemoryFleetDatabase({ clock: createSimulatedClock(0) });
  const store = fleet.connect();
  const log = { write: () => undefined };
  const ports = { store, log, heads: createInMemoryHead(), crypto: nodeCrypto } as unknown as BackendPorts;
  return {
    sequencer: new Sequencer(ports, 100),
    arrivals: () =>
      Object.fromEntries(
        fleet.tables.controllers.all().map(({ controller, arrival }) => [controller, arrival]),
      ),
    order: [],
  };
}

/** Counts one arrival more at a gate than it has read. */
function counting(gate: string, order: string[], refuses = false): Shared<number> {
  return {
    begin: async (tx) => {
      order.push(`read ${gate}`);
      const row = await tx.controller(gate);
      const act = async (draft: Parameters<Awaited<ReturnType<Shared<number>['begin']>>['act']>[0]) => {
        order.push(`act ${gate}`);
        if (refuses) throw new Fault('RELEASE_USED');
        draft.controllers.set(gate, { ...row, arrival: row.arrival + 1 });
        return row.arrival + 1;
      };
      return { names: [`controller ${gate}`], act };
    },
  };
}

it('decides an item on what an item of the same group before it has changed', async () => {
  const { sequencer, arrivals, order } = sequencerOn();
  const asked = ['gate-1', 'gate-2', 'gate-1', 'gate-1'].map((gate) =>
    sequencer.add(counting(gate, order), true),
  );
  const values = (await Promise.all(asked)).map(({ value }) => value);
  assert.deepEqual(values, [1, 1, 2, 3]);
  assert.deepEqual(arrivals(), { 'gate-1': 3, 'gate-2': 1 });
});

it('reads for all of a group before it decides the first', async () => {
  const { sequencer, order } = sequencerOn();
  await Promise.all(['gate-1', 'gate-2'].map((gate) => sequencer.add(counting(gate, order), true)));
  assert.deepEqual(order, ['read gate-1', 'read gate-2', 'act gate-1', 'act gate-2']);
});

it('refuses one item of a group and does the others, and work of the other kind sees what they did', async () => {
  const { sequencer, arrivals, order } = sequencerOn();
  const plain = sequencer.add(async ({ tx }) => (await tx.controller('gate-1')).arrival, true);
  const refused = sequencer.add(counting('gate-2', order, true), true);
  const done = sequencer.add(counting('gate-1', order), true);
  await assert.rejects(refused, (error) => isFault(error) && error.code === 'RELEASE_USED');
  assert.deepEqual([(await done).value, (await plain).value], [1, 1]);
  assert.equal(arrivals()['gate-1'], 1);
});
