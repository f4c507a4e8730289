/** Bytes that nobody would send, guided by what they make run: everything that reads them ends in an answer or in our own error. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { fuzz } from '../../scripts/fuzz/fuzzer.ts';
import { type FuzzTarget, targets } from '../../scripts/fuzz/targets.ts';
import { hiddenDefect } from './hidden-defect.ts';

const INPUTS = 2_000;
const goesOn = (executions: number): boolean => executions < INPUTS;

describe('bytes of anybody', () => {
  for (const target of targets)
    it(`${target.name}: no input does what is not allowed`, () => {
      const report = fuzz(target, { seed: 'suite', goesOn });
      assert.equal(report.broken, null, JSON.stringify(report.broken));
      assert.ok(report.corpus > target.seeds.length, 'nothing new was reached');
    });

  it('finds a defect behind four bytes that chance alone would hardly meet', () => {
    const planted: FuzzTarget = {
      name: 'planted',
      run: (input: Bytes) => hiddenDefect(input),
      allows: () => false,
      seeds: [new Uint8Array(4)],
      words: [],
      sources: /hidden-defect/,
    };
    const report = fuzz(planted, { seed: 'planted', goesOn: (executions) => executions < 100_000 });
    assert.match(report.broken?.error ?? '', /hidden defect/);
  });
});
