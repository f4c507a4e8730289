/** What survives power cuts and resets: claims about the firmware, in emulated time. */
import assert from 'node:assert/strict';
import { encodeHostMessage } from '../../../drivers/jig/extension.ts';
import { type Claim, opened, refuses } from './claim.ts';
import { releaseFor, type Stand, startStand, wireOf } from './stand.ts';
import { type Torn, torn } from './tearable-eeprom.ts';

/** The nth byte of a writing, and what a cut leaves of it: each byte is met by two kinds. */
function cuts(bytes: number): readonly (readonly [number, Torn])[] {
  return Array.from({ length: 2 * bytes }, (_, i) => {
    const write = 1 + (i >> 1);
    return [write, torn[(write + 2 * (i & 1)) % torn.length] ?? 'erased'] as const;
  });
}

export const claimsOfPower = {
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
  'begins anew from every state: nobody there, present, open, leaving, gone': (hex) => {
    const states: readonly ((stand: Stand) => void)[] = [
      () => undefined,
      (stand) => stand.arrive(),
      (stand) => stand.open(releaseFor({ arrival: stand.arrive(), counter: 5 })),
      (stand) => {
        stand.open(releaseFor({ arrival: stand.arrive(), counter: 5 }));
        stand.set('exit-good', true);
        stand.live(150);
      },
      (stand) => {
        stand.open(releaseFor({ arrival: stand.arrive(), counter: 5 }));
        stand.set('exit-good', true);
        stand.live(150);
        stand.set('presence', false);
        stand.set('exit-good', false);
        stand.live(50);
      },
    ];
    for (const [index, reach] of states.entries()) {
      const stand = startStand(hex);
      reach(stand);
      const before = stand.status();
      const openings = stand.openings.length;
      stand.reboot();
      assert.deepEqual(
        stand.reports().map(({ kind, reason }) => `${kind} ${reason}`),
        ['closed reset', ...(index >= 1 && index <= 3 ? ['arrived none'] : [])],
      );
      const now = stand.status();
      assert.deepEqual([now.obeyed, now.left], [before.obeyed, before.left]);
      assert.ok(now.arrival === 0 || now.arrival > before.arrival);
      assert.deepEqual([stand.isOpen(), stand.openings.length], [false, openings]);
    }
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
    const met = new Set<string>();
    for (const [write, how] of cuts(14)) {
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
      met.add(hasOpened ? 'after' : now.obeyed === counter ? 'between' : 'before');
    }
    assert.deepEqual([...met].sort(), ['after', 'before', 'between'], 'cuts fell everywhere');
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
