import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { instantMs } from '../../runtime/core/instant.ts';
import { booked, goOnMs, rateOf } from '../../runtime/core/orders/rate.ts';
import { createWorld } from '../../scripts/simulation/world.ts';
import { factsOf } from '../simulation/by-hand.ts';

const MINUTE_MS = 60_000;
const UNITS = 4;

describe('a line that is faster than its order', () => {
  it('holds each unit until its time has come, and lets it go by itself', async () => {
    // A fifth above 50 an hour is one a minute, and one station may have one at once.
    const order = { unitsPerHour: 50 };
    const world = await createWorld({ seed: 'takt', stations: 1, units: UNITS, order });
    await world.run(60 * MINUTE_MS);
    const reserved = world.fleet.tables.operations.all().map(({ reservedAt }) => instantMs(reservedAt));
    const times = reserved.sort((a, b) => a - b);
    assert.equal(times.length, UNITS);
    for (const [i, at] of times.entries())
      assert.ok(i === 0 || at - (times[i - 1] ?? 0) >= MINUTE_MS - 1, `unit ${i + 1} came too early`);
    const left = world.stations[0]?.gateLog.filter(({ event, lane }) => event === 'LEFT' && lane === 'good');
    assert.equal(left?.length, UNITS);
    const held = factsOf(world, 1).flatMap((fact) => (fact.name === 'held' ? [fact.fault.code] : []));
    assert.deepEqual(
      held.filter((code) => code !== 'RATE_EXCEEDED'),
      [],
    );
  });
});

describe('the rate of an order', () => {
  const order = { unitsPerHour: 500, stations: ['a', 'b'] };
  /** Units that are let through from `fromMs` on by somebody who asks all the time. */
  const letThrough = (fromMs: number, ms: number): number => {
    let [full, units] = [0, 0];
    for (let now = fromMs; now < fromMs + ms; now += 100) {
      const next = booked(full, rateOf(order, now));
      if (next === null) continue;
      full = next;
      units += 1;
    }
    return units;
  };

  it('lets a fifth more through than its takt, and a minute’s units at once', () => {
    const [hour, minute] = [500 * 1.2, (500 * 1.2) / 60];
    assert.equal(letThrough(1_000_000, 2_000), minute);
    // The first of the hour's units is among those that came at once.
    assert.equal(letThrough(1_000_000, 60 * MINUTE_MS), minute + hour - 1);
    assert.equal(letThrough(1_000_000, 100), 1);
  });

  it('names the moment from which a unit may go on, and not one later', () => {
    const odd = { ...order, unitsPerHour: 700 };
    const rate = rateOf(odd, 5_000_000);
    let full = 0;
    for (let next = booked(full, rate); next !== null; next = booked(full, rate)) full = next;
    const again = goOnMs(full, rate);
    assert.equal(booked(full, rateOf(odd, again - 1)), null);
    assert.notEqual(booked(full, rateOf(odd, again)), null);
  });
});
