/** The firmware of the gate controller, run in an emulator of its processor. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { encodeBoardMessage, encodeHostMessage } from '../../drivers/jig/extension.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { buildFirmware } from '../../scripts/firmware/build.ts';
import { EEPROM_BYTES } from '../../scripts/firmware/eeprom-image.ts';
import { readIntelHex } from '../../scripts/firmware/intel-hex.ts';
import { runToEnd } from '../run-to-end.ts';
import { TAG_KEY } from './board-rig.ts';
import { createChip } from './firmware/chip.ts';
import { claims } from './firmware/claims.ts';
import { needsCompiler, releaseFor, startStand, wireOf } from './firmware/stand.ts';

describe('the firmware of the gate controller', needsCompiler, () => {
  it('fits into its processor, with half of the memory left for the stack', () => {
    const { flashBytes, ramBytes } = buildFirmware();
    assert.ok(flashBytes < 32_768 / 2 && ramBytes < 2_048 / 2, `${flashBytes} and ${ramBytes} bytes`);
  });

  it('is commissioned by `npm run firmware`: a chip with what that wrote says who it is', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'commission-'));
    try {
      const at = (name: string): string => join(directory, name);
      writeFileSync(at('tag.key'), `${TAG_KEY}\n`, { mode: 0o644 });
      const names = ['--controller', 'gate-9', '--nest', 'n9', '--tag-key-file', at('tag.key')];
      const args = ['--commission', '--out', directory, ...names];
      assert.match((await runToEnd('scripts/firmware.js', args)).err, /others may read/);
      chmodSync(at('tag.key'), 0o600);
      const { code, out, err } = await runToEnd('scripts/firmware.js', args);
      assert.deepEqual([code, err, out.includes(TAG_KEY)], [0, '', false]);
      assert.equal(statSync(at('gate-9.eep')).mode & 0o077, 0);
      const said: number[] = [];
      const hex = readFileSync(at('gate.hex'), 'utf8');
      const eeprom = readIntelHex(readFileSync(at('gate-9.eep'), 'utf8'), EEPROM_BYTES);
      const chip = createChip({ hex, eeprom, onByte: (byte) => said.push(byte) });
      chip.run(200);
      chip.say(encodeHostMessage({ kind: 'who', query: 3 }));
      chip.run(30);
      const who = { kind: 'identity', query: 3, version: 1, controller: 'gate-9', nest: 'n9' } as const;
      assert.ok(toHex(Uint8Array.from(said)).endsWith(toHex(encodeBoardMessage(who))));
    } finally {
      rmSync(directory, { recursive: true });
    }
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
