/**
 * What the firmware must do, one sentence each, in emulated time. The tests hold all of them against the firmware,
 * and against each build that lacks a rule the sentence that must find it.
 */
import assert from 'node:assert/strict';
import { encodeHostMessage } from '../../../drivers/jig/extension.ts';
import type { Reason } from '../../../runtime/core/gate/release.ts';
import {
  HOST_TIMEOUT_MS,
  isGenuine,
  OPEN_TIMEOUT_MS,
  releaseFor,
  type Stand,
  startStand,
  wireOf,
} from './stand.ts';
import { type Torn, torn } from './tearable-eeprom.ts';

type Claim = (hex: string) => void;

/** A gate that stands open for a unit that does not leave. */
function opened(hex: string, counter = 5): { readonly stand: Stand; readonly arrival: number } {
  const stand = startStand(hex);
  const arrival = stand.arrive();
  const answer = stand.open(releaseFor({ arrival, counter }));
  assert.deepEqual([answer.kind, stand.isOpen()], ['status', true]);
  return { stand, arrival };
}

/** The gate is shut, for this reason, and the unit that is still there has another name. */
function isShut({ stand, arrival }: ReturnType<typeof opened>, reason: Reason): void {
  assert.equal(stand.isOpen(), false);
  const closed = stand.reports().find(({ kind }) => kind === 'closed');
  assert.deepEqual([closed?.reason, closed && isGenuine(closed)], [reason, true]);
  assert.notEqual(stand.status().arrival, arrival);
  assert.equal(stand.openings.length, 1);
}

function refuses(stand: Stand, release: Parameters<Stand['open']>[0], reason: Reason): void {
  const { kind, reason: said } = stand.open(release);
  assert.deepEqual([kind, said], ['refused', reason]);
}

/** The nth byte of a writing, and what a cut leaves of it: each byte is met by two kinds. */
function cuts(bytes: number): readonly (readonly [number, Torn])[] {
  return Array.from({ length: 2 * bytes }, (_, i) => {
    const write = 1 + (i >> 1);
    return [write, torn[(write + 2 * (i & 1)) % torn.length] ?? 'erased'] as const;
  });
}

export const claims = {
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
  'opens no second time while it stands open': (hex) => {
    const { stand, arrival } = opened(hex);
    stand.set('gate-good-closed', true);
    refuses(stand, releaseFor({ arrival, counter: 6 }), 'gate-open');
    refuses(stand, releaseFor({ arrival, counter: 7, lane: 'reject' }), 'gate-open');
    assert.equal(stand.openings.length, 1);
  },
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
  'shuts at a reset in every state, and gives the unit another name': (hex) => {
    const { stand, arrival } = opened(hex);
    const names = new Set([arrival]);
    stand.chip.powerCycle();
    assert.equal(stand.isOpen(), false);
    for (let i = 0; i < 4; i++) {
      stand.chip.run(180);
      assert.equal(stand.isOpen(), false);
      const { arrival: now } = stand.status();
      assert.ok(!names.has(now) && now !== 0);
      names.add(now);
      refuses(stand, releaseFor({ arrival, counter: 6 + i }), 'arrival-stale');
      stand.chip.powerCycle();
    }
    assert.equal(stand.openings.length, 1);
  },
  'names no arrival twice though power fails in the writing of any byte at boot': (hex) => {
    const stand = startStand(hex);
    const names = [stand.arrive()];
    for (const [write, how] of cuts(12)) {
      const before = stand.chip.eepromWrites();
      stand.chip.powerCycle();
      for (let ms = 0; ms < 150 && stand.chip.eepromWrites() < before + write; ms++) stand.chip.run(1);
      stand.chip.powerCycle(how);
      stand.reboot();
      names.push(stand.status().arrival);
    }
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.every((name) => name > 0));
  },
  'opens only when the counter is durable: power fails in the writing of any byte of a release': (hex) => {
    const stand = startStand(hex);
    stand.arrive();
    for (const [write, how] of cuts(13)) {
      const { arrival, obeyed } = stand.status();
      const counter = obeyed + 1;
      const before = stand.chip.eepromWrites();
      const openings = stand.openings.length;
      stand.chip.say(wireOf(releaseFor({ arrival, counter })));
      for (let ms = 0; ms < 150 && stand.chip.eepromWrites() < before + write; ms++) stand.chip.run(1);
      const hasOpened = stand.openings.length > openings;
      stand.reboot(how);
      const now = stand.status();
      assert.ok(!hasOpened || now.obeyed === counter, `${how} ${write}`);
      assert.ok(now.obeyed === counter || now.obeyed === obeyed, `${how} ${write}: ${now.obeyed}`);
      assert.notEqual(now.arrival, arrival);
    }
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
  'does nothing without an identity, or with a memory that is lost': (hex) => {
    for (const places of [[1], [20], [64, 65, 80]]) {
      const stand = startStand(hex);
      for (const place of places) stand.chip.eeprom[place] = 0;
      // The boot wrote a second slot.
      if (places.length > 1) stand.chip.eeprom.fill(0, 64);
      stand.reboot();
      stand.heard();
      assert.equal(stand.say(encodeHostMessage({ kind: 'who', query: 3 })).includes('f001'), false);
      assert.equal(stand.say('f9').includes('f90205'), false);
      assert.deepEqual([stand.isOpen(), stand.openings], [false, []]);
    }
  },
} as const satisfies Readonly<Record<string, Claim>>;

export type ClaimName = keyof typeof claims;
