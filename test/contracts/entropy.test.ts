import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openKernelEntropy } from '../../drivers/entropy/kernel.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import type { Entropy } from '../../runtime/core/ports.ts';

/** What every source must do. */
function entropyContract(open: () => Entropy): void {
  it('gives as many bytes as asked', () => {
    const entropy = open();
    for (const count of [0, 1, 16, 31, 32, 33, 1000]) assert.equal(entropy.bytes(count).length, count);
  });

  it('does not repeat itself', () => {
    const entropy = open();
    const seen = new Set(Array.from({ length: 1000 }, () => toHex(entropy.bytes(16))));
    assert.equal(seen.size, 1000);
  });

  it('uses every value of a byte about equally', () => {
    const counts = new Array<number>(256).fill(0);
    for (const value of open().bytes(256 * 200)) counts[value] = (counts[value] ?? 0) + 1;
    for (const [value, count] of counts.entries())
      assert.ok(count > 100 && count < 320, `${value}: ${count}`);
  });

  it('gives bytes that later ones do not overwrite', () => {
    const entropy = open();
    const first = entropy.bytes(32);
    const before = toHex(first);
    entropy.bytes(32);
    assert.equal(toHex(first), before);
  });
}

describe('the kernel’s entropy', () => {
  entropyContract(openKernelEntropy);
});

describe('simulated entropy', () => {
  let seed = 0;
  entropyContract(() => createSimulatedEntropy(`contract ${seed++}`));

  it('is the same for the same seed and differs for another', () => {
    const draw = (from: string): string => toHex(createSimulatedEntropy(from).bytes(64));
    assert.equal(draw('a'), draw('a'));
    assert.notEqual(draw('a'), draw('b'));
  });

  it('draws fractions and chances within their bounds', () => {
    const entropy = createSimulatedEntropy('fractions');
    const fractions = Array.from({ length: 2000 }, () => entropy.fraction());
    assert.ok(fractions.every((fraction) => fraction >= 0 && fraction < 1));
    const hits = Array.from({ length: 2000 }, () => entropy.chance(0.25)).filter(Boolean).length;
    assert.ok(hits > 400 && hits < 600, `${hits} of 2000`);
  });
});
