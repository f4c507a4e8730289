import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createFixture } from '../../drivers/jig/controller/fixture.ts';
import { BLANK_MEMORY, tagOf } from '../../drivers/jig/controller/gate-controller.ts';
import { fromHex } from '../../runtime/core/bytes.ts';
import type { ControllerReport } from '../../runtime/core/gate/release.ts';
import { TAG_KEY } from './board-rig.ts';

const cipher = (block: Uint8Array): Uint8Array => nodeCrypto.aesEncryptBlock(fromHex(TAG_KEY), block);

describe('a controller with a slow memory', () => {
  it('neither opens nor answers before the counter is written', async () => {
    const clock = createSimulatedClock(0);
    const writes: (() => void)[] = [];
    const reports: ControllerReport[] = [];
    const fixture = createFixture({
      clock,
      self: { controller: 'gate-1', nest: 'n1', cipher },
      memory: { load: () => BLANK_MEMORY, save: () => new Promise((resolve) => writes.push(resolve)) },
      motion: { arriveMs: 1, clampMs: 1, gateMs: 1, leaveMs: 1 },
      seat: async () => undefined,
      openTimeoutMs: 1_000,
      hostTimeoutMs: 250,
    });
    const rest = async (): Promise<void> => {
      while (await clock.runNext()) await Promise.resolve();
    };
    fixture.attachHost();
    fixture.onReport((report) => reports.push(report));
    fixture.line.clampValve(true);
    fixture.line.feed(1, 0);
    await rest();
    assert.equal(reports.length, 0, 'the boot counter is not written yet');
    writes.shift()?.();
    await rest();
    const arrival = reports.at(-1)?.arrival ?? 0;
    const about = { controller: 'gate-1', nest: 'n1', lane: 'good', epoch: 1, arrival, counter: 1 } as const;
    const release = { ...about, operation: '01930000-0000-7000-8000-00000000abcd' };
    fixture.open({ ...release, tag: tagOf(cipher, release) }, 1);
    fixture.status(2);
    await rest();
    assert.equal(fixture.sensed()['gate-good-closed'], true);
    assert.equal(reports.at(-1)?.kind, 'arrived');
    writes.shift()?.();
    await rest();
    assert.equal(fixture.sensed()['exit-good'], false);
    assert.equal(reports.at(-1)?.kind, 'status', 'the departure is not told before it is written');
    writes.shift()?.();
    await rest();
    assert.deepEqual(reports.at(-1)?.left, { arrival, counter: 1, lane: 'good' });
  });
});
