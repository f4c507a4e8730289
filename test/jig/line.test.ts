import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createFixture, type Fixture, type GateLogLine } from '../../drivers/jig/controller/fixture.ts';
import { tagOf } from '../../drivers/jig/controller/gate-controller.ts';
import { createVolatileMemory } from '../../drivers/jig/controller/state-file.ts';
import { fromHex } from '../../runtime/core/bytes.ts';
import { TAG_KEY } from './board-rig.ts';

const MOTION = { arriveMs: 100, clampMs: 30, gateMs: 20, leaveMs: 50 };
const cipher = (block: Uint8Array): Uint8Array => nodeCrypto.aesEncryptBlock(fromHex(TAG_KEY), block);

interface Stage {
  readonly fixture: Fixture;
  readonly log: GateLogLine[];
  readonly seated: string[];
  /** Runs everything that is due. */
  rest(): Promise<void>;
}

function stage(seat?: (index: number) => Promise<void>): Stage {
  const clock = createSimulatedClock(0);
  const log: GateLogLine[] = [];
  const seated: string[] = [];
  const fixture = createFixture({
    clock,
    self: { controller: 'gate-1', nest: 'n1', cipher },
    memory: createVolatileMemory(),
    motion: MOTION,
    seat: async (index) => {
      seated.push(`${index} with presence ${fixture.sensed().presence}`);
      await seat?.(index);
    },
    openTimeoutMs: 1_000,
    hostTimeoutMs: 250,
    witness: (line) => log.push(line),
  });
  fixture.attachHost();
  const rest = async (): Promise<void> => {
    while (await clock.runNext()) await Promise.resolve();
  };
  return { fixture, log, seated, rest };
}

function open(fixture: Fixture, arrival: number, counter: number): void {
  const release = {
    controller: 'gate-1',
    nest: 'n1',
    lane: 'good',
    operation: '01930000-0000-7000-8000-00000000abcd',
    epoch: 1,
    arrival,
    counter,
  } as const;
  fixture.open({ ...release, tag: tagOf(cipher, release) }, 1);
}

async function runUnits(count: number): Promise<readonly GateLogLine[]> {
  const { fixture, log, rest } = stage();
  fixture.line.feed(count, 40);
  for (let counter = 1; counter <= count; counter++) {
    await rest();
    fixture.line.clampValve(true);
    await rest();
    open(fixture, log.findLast(({ event }) => event === 'ARRIVED')?.arrival ?? 0, counter);
    await rest();
    fixture.line.clampValve(false);
  }
  await rest();
  return log;
}

describe('the simulated line', () => {
  it('seats each chip before its unit is seen, and brings one unit at a time', async () => {
    const { fixture, seated, rest } = stage();
    fixture.line.feed(3, 7);
    await rest();
    assert.deepEqual(seated, ['7 with presence false']);
    assert.equal(fixture.line.unit(), 7);
    fixture.line.takeByHand();
    await rest();
    assert.deepEqual(seated, ['7 with presence false', '8 with presence false']);
  });

  it('stops when a chip cannot be seated, and says which', async () => {
    const { fixture, log, rest } = stage(async () => {
      throw new Error('no such chip');
    });
    fixture.line.feed(3, 7);
    await rest();
    assert.deepEqual(log.at(-1)?.event, 'SEAT-FAILED');
    assert.deepEqual([log.at(-1)?.unit, fixture.line.waiting()], [7, 0]);
  });

  it('adds up the motion of each unit, overlapping motions once', async () => {
    const left = (await runUnits(3)).filter(({ event }) => event === 'LEFT');
    const [first, second, third] = left.map(({ motionMs }) => motionMs);
    const own = MOTION.arriveMs + MOTION.clampMs + MOTION.gateMs + MOTION.leaveMs;
    assert.equal(first, own);
    // The gate shuts while the next unit may not come yet; the clamp closes meanwhile or before.
    assert.ok(second !== undefined && second >= own + MOTION.gateMs);
    assert.equal(third, second);
  });

  it('writes the same gate log every time', async () => {
    assert.deepEqual(await runUnits(4), await runUnits(4));
  });

  it('keeps a unit that is still clamped, whatever the gate does', async () => {
    const { fixture, log, rest } = stage();
    fixture.line.feed(1, 0);
    await rest();
    fixture.line.gateValve('good');
    await rest();
    assert.equal(fixture.line.unit(), 0);
    assert.ok(log.every(({ event }) => event !== 'LEFT'));
  });
});
