/** What a gate controller says may come late or not at all: no unit waits for ever, no visit is torn apart. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SimulatedClock } from '../../drivers/clock/simulated.ts';
import type { Jig, JigEvent } from '../../runtime/core/ports.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';

const DAY_MS = 86_400_000;
const left = (world: World): number =>
  world.stations.flatMap((s) => s.gateLog).filter((line) => line.event === 'LEFT' && line.lane === 'good')
    .length;
const pause = (clock: SimulatedClock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(ms, resolve);
  });

describe('words of the gate controller', () => {
  it('take effect in the order in which they were said, though an answer is handed over late', async () => {
    const world = await createWorld({
      seed: 'late',
      units: 2,
      stations: 1,
      cheap: true,
      betweenJig: (jig, clock) => ({
        ...jig,
        report: async (nest) => {
          const answer = await jig.report(nest);
          await pause(clock, 300);
          return answer;
        },
        onEvent: (handler) => {
          jig.onEvent(handler);
          // The link is announced again every 250 ms, so that answers cross arrivals and departures.
          const again = (): void => {
            handler({ kind: 'ready' });
            clock.after(250, again);
          };
          clock.after(250, again);
        },
      }),
    });
    await world.run(60_000);
    assert.equal(left(world), 2);
    const torn = world.log.lines.filter(
      (line) => line.event === 'transition' && line.fields.on === 'arrival-ended',
    );
    assert.deepEqual(torn, []);
  });

  it('that are lost cost a line no more than the next question', async () => {
    const isLost = (event: JigEvent): boolean => event.kind === 'report' && event.report.kind !== 'status';
    const world = await createWorld({
      seed: 'lost',
      units: 2,
      stations: 1,
      cheap: true,
      betweenJig: (jig): Jig => ({
        ...jig,
        onEvent: (handler) => jig.onEvent((event) => (isLost(event) ? undefined : handler(event))),
      }),
    });
    await world.run(DAY_MS);
    assert.equal(left(world), 2);
  });
});
