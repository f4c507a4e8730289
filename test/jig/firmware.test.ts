/** The firmware of the gate controller, run in an emulator of its processor. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { toHex } from '../../runtime/core/bytes.ts';
import { buildFirmware } from '../../scripts/firmware/build.ts';
import { createChip } from './firmware/chip.ts';
import { claims } from './firmware/claims.ts';
import { needsCompiler, releaseFor, startStand, wireOf } from './firmware/stand.ts';

describe('the firmware of the gate controller', needsCompiler, () => {
  it('fits into its processor, with half of the memory left for the stack', () => {
    const { flashBytes, ramBytes } = buildFirmware();
    assert.ok(flashBytes < 32_768 / 2 && ramBytes < 2_048 / 2, `${flashBytes} and ${ramBytes} bytes`);
  });

  it('RFC 4493 section 4: CMAC of 0, 16, 40 and 64 bytes', () => {
    const main = readFileSync('test/jig/firmware/vectors.c', 'utf8');
    const said: number[] = [];
    const chip = createChip({ hex: buildFirmware({ main }).hex, onByte: (byte) => said.push(byte) });
    for (let ms = 0; ms < 200 && said.length < 64; ms += 10) chip.run(10);
    assert.equal(
      toHex(Uint8Array.from(said)),
      [
        'bb1d6929e95937287fa37d129b756746',
        '070a16b46b4d4144f79bdd9dd04a287c',
        'dfa66747de9ae63030ca32611497c827',
        '51f0bebf7e3b9d92fc49741779363cfe',
      ].join(''),
    );
  });

  it('shuts by its watchdog when its loop stands still, and the unit gets another name', () => {
    const { hex } = buildFirmware({
      change: (file, text) =>
        file === 'firmata.c'
          ? text.replace('case 0x69:', 'case 0x7e:\n      for (;;);\n    case 0x69:')
          : text,
    });
    const stand = startStand(hex);
    const arrival = stand.arrive();
    stand.open(releaseFor({ arrival, counter: 5 }));
    assert.ok(stand.isOpen());
    stand.say('f07ef7');
    stand.chip.run(400);
    assert.equal(stand.isOpen(), false);
    const report = stand.status();
    assert.ok(report.arrival > arrival);
    assert.deepEqual([report.obeyed, stand.openings.length], [5, 1]);
  });

  it('remembers in another slot when one no longer keeps what is written, and gives up when none does', () => {
    const worn = new Set<number>();
    const stand = startStand(buildFirmware().hex, {}, (place) => worn.has(place));
    const first = stand.arrive();
    for (let place = 64 + 2 * 32; place < 64 + 4 * 32; place++) worn.add(place);
    assert.equal(stand.open(releaseFor({ arrival: first, counter: 5 })).kind, 'status');
    stand.set('presence', false);
    stand.live(100);
    stand.reboot();
    assert.equal(stand.status().obeyed, 5);
    for (let place = 64; place < 1_024; place++) worn.add(place);
    const arrival = stand.arrive();
    stand.chip.say(wireOf(releaseFor({ arrival, counter: 6 })));
    stand.chip.run(2_000);
    assert.deepEqual([stand.openings.length, stand.isOpen()], [1, false]);
    assert.ok(
      stand.say('f9').startsWith('f071') || stand.say('f9') === '',
      'it complains, and does nothing else',
    );
  });

  for (const [claim, holds] of Object.entries(claims)) it(claim, () => holds(buildFirmware().hex));
});
