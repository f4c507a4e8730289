/** What opens a gate, and what does not: claims about the firmware, in emulated time. */
import assert from 'node:assert/strict';
import { type Claim, opened, refuses } from './claim.ts';
import { isGenuine, OPEN_TIMEOUT_MS, releaseFor, startStand, wireOf } from './stand.ts';

export const claimsOfReleases = {
  'opens once for its unit, shuts at the exit, and says LEFT under a true MAC': (hex) => {
    for (const lane of ['good', 'reject'] as const) {
      const stand = startStand(hex);
      const arrival = stand.arrive();
      stand.open(releaseFor({ arrival, counter: 5, lane }));
      assert.deepEqual(
        stand.openings.map((opening) => opening.lane),
        [lane],
      );
      stand.set(`gate-${lane}-closed`, false);
      stand.set(lane === 'good' ? 'exit-reject' : 'exit-good', true);
      stand.live(50);
      assert.ok(stand.isOpen(), 'the other exit is no departure');
      stand.set(`exit-${lane}`, true);
      stand.live(200);
      assert.equal(stand.isOpen(), false);
      const left = stand.reports().find(({ kind }) => kind === 'left');
      assert.deepEqual(left?.left, { arrival, counter: 5, lane });
      assert.ok(left && isGenuine(left));
      stand.set('presence', false);
      stand.live(50);
      assert.deepEqual(stand.reports(), []);
    }
  },
  'refuses a forged tag, and one for another controller, nest, lane, epoch or counter': (hex) => {
    const stand = startStand(hex);
    const arrival = stand.arrive();
    const good = releaseFor({ arrival, counter: 5 });
    for (const byte of [0, 7, 15]) {
      const tag = `${good.tag.slice(0, 2 * byte)}${good.tag[2 * byte] === '0' ? '1' : '0'}${good.tag.slice(2 * byte + 1)}`;
      refuses(stand, { ...good, tag }, 'tag-wrong');
    }
    refuses(stand, releaseFor({ arrival, counter: 5, controller: 'gate-2' }), 'tag-wrong');
    refuses(stand, releaseFor({ arrival, counter: 5, nest: 'n2' }), 'tag-wrong');
    for (const change of [
      { lane: 'reject' },
      { epoch: 2 },
      { counter: 6 },
      { arrival: arrival + 1 },
    ] as const)
      refuses(stand, { ...good, ...change }, 'tag-wrong');
    assert.deepEqual([stand.openings, stand.status().obeyed], [[], 0]);
  },
  'refuses a release for another arrival': (hex) => {
    const stand = startStand(hex);
    const arrival = stand.arrive();
    for (const other of [arrival - 1, arrival + 1, 0])
      refuses(stand, releaseFor({ arrival: other, counter: 5 }), 'arrival-stale');
    stand.set('presence', false);
    stand.live(50);
    assert.equal(stand.reports().at(-1)?.reason, 'presence-lost');
    refuses(stand, releaseFor({ arrival, counter: 5 }), 'absent');
    assert.notEqual(stand.arrive(), arrival);
    refuses(stand, releaseFor({ arrival, counter: 5 }), 'arrival-stale');
    assert.deepEqual(stand.openings, []);
  },
  'refuses a release for an empty nest, even for the arrival 0 that an empty nest reports': (hex) => {
    const stand = startStand(hex);
    stand.set('clamp-closed', false);
    stand.set('clamp-open', true);
    stand.live(50);
    refuses(stand, releaseFor({ arrival: 0, counter: 5 }), 'absent');
    assert.deepEqual(stand.openings, []);
  },
  'refuses while the unit is clamped, a gate not shut or an exit covered': (hex) => {
    for (const [sensor, active, reason] of [
      ['clamp-open', false, 'clamped'],
      ['clamp-closed', true, 'clamped'],
      ['gate-good-closed', false, 'gate-open'],
      ['gate-reject-closed', false, 'gate-open'],
      ['exit-good', true, 'gate-open'],
      ['exit-reject', true, 'gate-open'],
    ] as const) {
      const stand = startStand(hex);
      const arrival = stand.arrive();
      stand.set(sensor, active);
      stand.live(50);
      refuses(stand, releaseFor({ arrival, counter: 5 }), reason);
      assert.deepEqual(stand.openings, [], sensor);
    }
  },
  'opens no second time while it stands open': (hex) => {
    const { stand, arrival } = opened(hex);
    stand.set('gate-good-closed', true);
    refuses(stand, releaseFor({ arrival, counter: 6 }), 'gate-open');
    refuses(stand, releaseFor({ arrival, counter: 7, lane: 'reject' }), 'gate-open');
    assert.equal(stand.openings.length, 1);
  },
  'moves no gate for a host that writes ports, pins and modes': (hex) => {
    const stand = startStand(hex);
    stand.arrive();
    for (const pin of ['08', '09']) {
      for (const mode of ['00', '01', '02', '03', '04', '06', '0b']) stand.say(`f4${pin}${mode}`);
      stand.say(`f4${pin}01f5${pin}01`);
    }
    for (const frame of ['907f01', '917f01', '917f01', '927f01', 'e87f01', 'e97f01', 'ff', '917f01'])
      stand.say(frame);
    assert.deepEqual(stand.openings, []);
    assert.deepEqual([stand.chip.pin(8), stand.chip.pin(9)], [0, 0]);
    assert.equal(stand.status().gate, 'closed');
  },
  'drives none of its sensors, whatever the host writes': (hex) => {
    const stand = startStand(hex);
    for (const pin of ['0c', '0e', '10', '13']) stand.say(`f4${pin}01f5${pin}01`);
    stand.say('917f01927f00');
    for (const pin of [12, 14, 15, 16, 17, 18, 19]) assert.equal(stand.chip.pin(pin), null);
  },
  'is moved by no flood of releases that nobody made': (hex) => {
    const stand = startStand(hex);
    const arrival = stand.arrive();
    const forged = { ...releaseFor({ arrival, counter: 5 }), tag: '00'.repeat(16) };
    for (let i = 0; i < 60; i++) {
      stand.chip.say(wireOf({ ...forged, counter: 5 + i, lane: i % 2 ? 'good' : 'reject' }));
      stand.chip.run(10);
    }
    assert.deepEqual(stand.openings, []);
    stand.chip.run(600);
    stand.heard();
    assert.equal(stand.open(releaseFor({ arrival, counter: 500 })).kind, 'status');
    stand.heard();
    // The flood goes on behind an open gate: it is a host all the same, and the gate's own time-out counts.
    for (let i = 0; i < 2 * (OPEN_TIMEOUT_MS / 10); i++) {
      stand.chip.say(wireOf(forged));
      stand.chip.run(10);
    }
    assert.equal(stand.isOpen(), false);
    assert.equal(stand.openings.length, 1);
  },
  'obeys a counter once, and no lower one, also for a later unit and after a power cut': (hex) => {
    const { stand, arrival } = opened(hex);
    refuses(stand, releaseFor({ arrival, counter: 5 }), 'counter-used');
    stand.set('presence', false);
    stand.live(50);
    const next = stand.arrive();
    refuses(stand, releaseFor({ arrival, counter: 5 }), 'arrival-stale');
    for (const counter of [4, 5]) refuses(stand, releaseFor({ arrival: next, counter }), 'counter-used');
    stand.reboot();
    assert.equal(stand.status().obeyed, 5);
    const { arrival: now } = stand.status();
    for (const counter of [4, 5]) refuses(stand, releaseFor({ arrival: now, counter }), 'counter-used');
    assert.equal(stand.openings.length, 1);
  },
} as const satisfies Readonly<Record<string, Claim>>;
