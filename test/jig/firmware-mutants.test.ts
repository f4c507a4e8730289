/** Each rule of the firmware is held by a claim: without the rule the claim fails. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildFirmware } from '../../scripts/firmware/build.ts';
import { claims } from './firmware/claims.ts';
import { mutants } from './firmware/mutants.ts';
import { needsCompiler } from './firmware/stand.ts';

describe('a firmware of the gate controller that lacks a rule is found', needsCompiler, () => {
  for (const { lacks, file, from, to, foundBy } of mutants)
    it(`without ${lacks}: “${foundBy}”`, () => {
      let changed = 0;
      const { hex } = buildFirmware({
        change: (name, text) => {
          if (name !== file) return text;
          changed += text.split(from).length - 1;
          return text.replace(from, to);
        },
      });
      assert.equal(changed, 1, `${file} holds the rule in one place`);
      assert.throws(() => claims[foundBy](hex));
    });
});
