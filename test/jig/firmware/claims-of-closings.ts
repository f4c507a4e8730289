/** When a gate shuts and a unit gets another name: claims about the firmware, in emulated time. */
import assert from 'node:assert/strict';
import { type Claim, isShut, opened, refuses } from './claim.ts';
import { HOST_TIMEOUT_MS, OPEN_TIMEOUT_MS, releaseFor, startStand, wireOf } from './stand.ts';

export const claimsOfClosings = {
  'shuts when the unit is taken by hand': (hex) => {
    const state = opened(hex);
    state.stand.heard();
    state.stand.set('presence', false);
    state.stand.live(50);
    isShut(state, 'presence-lost');
    assert.equal(state.stand.status().left.arrival, 0);
  },
  'stays shut when the unit is taken while its release is being written': (hex) => {
    const stand = startStand(hex);
    const arrival = stand.arrive();
    const before = stand.chip.eepromWrites();
    stand.chip.say(wireOf(releaseFor({ arrival, counter: 5 })));
    while (stand.chip.eepromWrites() === before) stand.chip.run(1);
    stand.set('presence', false);
    stand.live(200);
    assert.deepEqual(stand.openings, []);
    assert.equal(stand.status().gate, 'closed');
  },
  'shuts by its own time-out': (hex) => {
    const state = opened(hex);
    state.stand.live(OPEN_TIMEOUT_MS / 2);
    assert.ok(state.stand.isOpen());
    state.stand.heard();
    state.stand.live(OPEN_TIMEOUT_MS);
    isShut(state, 'timed-out');
    refuses(state.stand, releaseFor({ arrival: state.arrival, counter: 6 }), 'arrival-stale');
  },
  'shuts when the host falls silent': (hex) => {
    const state = opened(hex);
    state.stand.heard();
    state.stand.chip.run(2 * HOST_TIMEOUT_MS);
    isShut(state, 'host-lost');
    refuses(state.stand, releaseFor({ arrival: state.arrival, counter: 6 }), 'arrival-stale');
  },
  'shuts when the line is cut, and is shut when it is mended': (hex) => {
    const { stand, arrival } = opened(hex);
    stand.chip.cut(true);
    stand.live(2 * HOST_TIMEOUT_MS);
    assert.equal(stand.isOpen(), false);
    stand.chip.cut(false);
    assert.notEqual(stand.status().arrival, arrival);
    assert.equal(stand.openings.length, 1);
  },
  'gives a unit that tripped the exit and stayed a new name': (hex) => {
    const { stand, arrival } = opened(hex);
    stand.set('exit-good', true);
    stand.live(100);
    assert.equal(stand.status().arrival, 0);
    stand.live(2 * OPEN_TIMEOUT_MS);
    assert.ok(stand.status().arrival > arrival);
  },
  'believes no contact that bounces': (hex) => {
    const { stand } = opened(hex);
    stand.heard();
    for (let i = 0; i < 40; i++) {
      stand.set(i % 2 ? 'presence' : 'exit-good', i % 4 < 2);
      stand.chip.run(1);
    }
    stand.set('presence', true);
    stand.set('exit-good', false);
    stand.live(50);
    assert.ok(stand.isOpen());
    assert.deepEqual(stand.reports(), []);
  },
} as const satisfies Readonly<Record<string, Claim>>;
