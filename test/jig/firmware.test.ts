/** The firmware of the gate controller, run in an emulator of its processor. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { toHex } from '../../runtime/core/bytes.ts';
import { buildFirmware } from '../../scripts/firmware/build.ts';
import { createChip } from './firmware/chip.ts';
import { claims } from './firmware/claims.ts';
import { needsCompiler } from './firmware/stand.ts';

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

  for (const [claim, holds] of Object.entries(claims)) it(claim, () => holds(buildFirmware().hex));
});
