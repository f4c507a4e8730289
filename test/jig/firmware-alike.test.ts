/** Two boards that were written apart: the firmware in its chip, and the simulated board. The same bytes to both. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createBoard } from '../../drivers/jig/controller/board.ts';
import { createFixture } from '../../drivers/jig/controller/fixture.ts';
import { createVolatileMemory } from '../../drivers/jig/controller/state-file.ts';
import { encodeHostMessage } from '../../drivers/jig/extension.ts';
import { type Bytes, concat, fromHex, toHex } from '../../runtime/core/bytes.ts';
import { buildFirmware } from '../../scripts/firmware/build.ts';
import {
  cipher,
  HOST_TIMEOUT_MS,
  needsCompiler,
  OPEN_TIMEOUT_MS,
  releaseFor,
  startStand,
  wireOf,
} from './firmware/stand.ts';

interface Pair {
  /** Says the same to both; what each answers. */
  say(bytes: Bytes, withinMs?: number): Promise<readonly [firmware: string, simulated: string]>;
  arrive(): Promise<void>;
  takeByHand(): Promise<void>;
  arrival(): number;
  openings(): readonly [firmware: number, simulated: number];
}

/** Neither unit leaves its open gate: a stuck unit keeps both boards in step. */
function startPair(): Pair {
  const stand = startStand(buildFirmware().hex);
  stand.set('clamp-closed', false);
  stand.set('clamp-open', true);
  stand.follow();
  stand.chip.run(40);
  stand.bytes();
  const clock = createSimulatedClock(0);
  let said = '';
  let openings = 0;
  const fixture = createFixture({
    clock,
    self: { controller: 'gate-1', nest: 'n1', cipher },
    memory: createVolatileMemory({ boots: 7, obeyed: 0, left: { arrival: 0, counter: 0, lane: 'good' } }),
    motion: { arriveMs: 1, clampMs: 1, gateMs: 1, leaveMs: 1 },
    seat: async () => undefined,
    openTimeoutMs: OPEN_TIMEOUT_MS,
    hostTimeoutMs: HOST_TIMEOUT_MS,
    witness: ({ event }) => {
      if (event === 'OPENED') openings += 1;
    },
  });
  const board = createBoard({
    fixture,
    clock,
    send: (bytes) => {
      said += toHex(bytes);
    },
    hangUp: () => undefined,
  });
  fixture.line.stick('unit', true);
  fixture.line.clampValve(true);
  fixture.line.stick('clamp', true);
  const settle = async (): Promise<void> => {
    const until = clock.monotonicMs() + HOST_TIMEOUT_MS + OPEN_TIMEOUT_MS;
    while (await clock.runNext(until));
  };
  return {
    say: async (bytes, withinMs = HOST_TIMEOUT_MS + 160) => {
      said = '';
      board.receive(bytes);
      await settle();
      stand.chip.say(bytes);
      stand.chip.run(bytes.length / 5 + withinMs);
      return [toHex(stand.bytes()), said];
    },
    arrive: async () => {
      await fixture.line.putByHand(1);
      stand.set('presence', true);
      stand.chip.run(40);
      stand.bytes();
    },
    takeByHand: async () => {
      fixture.line.takeByHand();
      await settle();
      stand.set('presence', false);
      stand.chip.run(40);
      stand.bytes();
    },
    arrival: () => stand.status().arrival,
    openings: () => [stand.openings.length, openings],
  };
}

const seeds = [1, 2];
/** Long enough for the longest answer that changes nothing. */
const QUIET_MS = 60;

describe('firmware and simulated board', needsCompiler, () => {
  it('answer every question of Firmata alike', async () => {
    const pair = startPair();
    for (const frame of [
      ...['f9', 'f079f7', 'f06bf7', 'f069f7', 'f07a1300f7', 'f0f7', 'ff', 'e80101', 'c001', 'c101', 'c000'],
      ...Array.from({ length: 21 }, (_, pin) => `f06d${hex(pin)}f7`),
      ...Array.from({ length: 20 }, (_, pin) => [
        modesOf(pin, [0, 1, 2, 3]),
        modesOf(pin, [4, 6, 11, 127]),
      ]).flat(),
      ...['d001', 'd101', 'd201', 'd501', 'd000', 'd100', 'd200', '907f01', '917f01', '927f01'],
      ...Array.from({ length: 20 }, (_, pin) => `f4${hex(pin)}01f5${hex(pin)}01f06d${hex(pin)}f7`),
      ...[
        'f06d02f50201fff9f7',
        `f001${'00'.repeat(64)}f7f9`,
        `f06d${'05'.repeat(62)}f7`,
        `f06d${'05'.repeat(63)}f7`,
        `f06d${'05'.repeat(64)}f7`,
      ],
    ]) {
      const [firmware, simulated] = await pair.say(fromHex(frame), QUIET_MS);
      assert.equal(firmware, simulated, frame);
    }
  });

  for (const seed of seeds)
    it(`answer any bytes alike, and neither opens for them (seed ${seed})`, async () => {
      const pair = startPair();
      await pair.arrive();
      const draw = drawer(seed);
      for (let i = 0; i < 150; i++) {
        const bytes = concat(nonsense(draw), fromHex('f7'));
        const [firmware, simulated] = await pair.say(bytes, QUIET_MS);
        assert.equal(firmware, simulated, toHex(bytes));
      }
      assert.deepEqual(pair.openings(), [0, 0]);
    });

  it('judge releases alike: true, replayed, stale, forged and damaged', async () => {
    const pair = startPair();
    const draw = drawer(4);
    for (let i = 0; i < 5; i++) {
      await pair.arrive();
      const arrival = pair.arrival();
      for (const bytes of [
        wireOf({ ...releaseFor({ arrival, counter: 100 + i }), tag: '00'.repeat(16) }),
        wireOf(releaseFor({ arrival: arrival + (i % 3) - 1, counter: 2 * i + draw(3) })),
        damaged(wireOf(releaseFor({ arrival, counter: 2 * i + 1 })), draw),
        wireOf(releaseFor({ arrival, counter: 2 * i + 1, lane: i % 2 ? 'good' : 'reject' })),
        wireOf(releaseFor({ arrival, counter: 2 * i + 1 })),
        encodeHostMessage({ kind: 'status', query: i }),
        encodeHostMessage({ kind: 'who', query: i }),
      ]) {
        const [firmware, simulated] = await pair.say(bytes);
        assert.equal(firmware, simulated, `${i}: ${toHex(bytes)}`);
      }
      await pair.takeByHand();
    }
    const [firmware, simulated] = pair.openings();
    assert.ok(firmware > 2, 'some releases were true');
    assert.equal(firmware, simulated);
  });
});

/** Sets one mode after the other and asks each time what became of it. */
function modesOf(pin: number, modes: readonly number[]): string {
  return modes.map((mode) => `f4${hex(pin)}${hex(mode)}f06d${hex(pin)}f7`).join('');
}

function drawer(seed: number): (below: number) => number {
  const entropy = createSimulatedEntropy(String(seed));
  return (below) => (entropy.bytes(1)[0] ?? 0) % below;
}

/** Frames and pieces of frames, in any order, with bytes that belong to none. */
function nonsense(draw: (below: number) => number): Bytes {
  const piece = (): Bytes => {
    const any = (): number => draw(256);
    switch (draw(7)) {
      case 0:
        return Uint8Array.of(0xf4, draw(24), draw(16));
      case 1:
        return Uint8Array.of(0xf5, draw(24), draw(2));
      case 2:
        return Uint8Array.of(0x90 | draw(3), draw(128), draw(2));
      case 3:
        return Uint8Array.of(0xf0, 0x6d, draw(24), 0xf7);
      case 4:
        return damaged(encodeHostMessage({ kind: 'status', query: draw(256) }), draw);
      case 5:
        return Uint8Array.from({ length: draw(24) }, any);
      default:
        return Uint8Array.from({ length: draw(90) }, (_, i) => (i === 0 ? 0xf0 : i === 1 ? 1 : draw(128)));
    }
  };
  return concat(...Array.from({ length: 1 + draw(3) }, piece));
}

/** One byte changed, dropped or doubled; sometimes none. */
function damaged(bytes: Bytes, draw: (below: number) => number): Bytes {
  const at = 1 + draw(bytes.length - 2);
  const kind = draw(4);
  if (kind === 0) return bytes;
  const middle = kind === 1 ? [draw(128)] : kind === 2 ? [] : [bytes[at] ?? 0, bytes[at] ?? 0];
  return concat(bytes.subarray(0, at), Uint8Array.from(middle), bytes.subarray(at + 1));
}

function hex(number: number): string {
  return toHex(Uint8Array.of(number));
}
