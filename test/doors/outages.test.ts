/**
 * A running line loses a part while a unit is in work. The unit is held where it is, with the reason in words on
 * log and status; when the part is back it goes on by itself.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FaultCode } from '../../runtime/core/faults.ts';
import type { State } from '../../runtime/core/operation/transitions.ts';
import { type PartName, type Parts, partsOf } from './parts.ts';
import { openRig, type Rig } from './rig.ts';
import { assertCalm, assertWhole } from './whole.ts';

interface Outage {
  readonly part: PartName;
  readonly words: string;
  /** What the station was doing when the part went. */
  readonly during: State;
  readonly code: FaultCode;
  /** Without the broker there is no status. */
  readonly shown: boolean;
}

// biome-ignore format: this is a table
const outages: readonly Outage[] = [
  { part: 'pcscd',    words: 'pcscd',       during: 'personalizing', code: 'READER_SERVICE_DOWN', shown: true },
  { part: 'broker',   words: 'the broker',  during: 'personalizing', code: 'BUS_UNREACHABLE',     shown: false },
  { part: 'postgres', words: 'PostgreSQL',  during: 'personalizing', code: 'STORE_UNAVAILABLE',   shown: true },
  { part: 'gateway',  words: 'the gateway', during: 'personalizing', code: 'GATEWAY_SILENT',      shown: true },
  { part: 'backend',  words: 'the backend', during: 'reserving',     code: 'BACKEND_SILENT',      shown: true },
];

describe('a line that loses a part', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-outages-'));
  const released: number[] = [];
  let rig: Rig;
  let parts: Parts;

  before(async () => {
    rig = await openRig(directory);
    parts = partsOf(rig.line);
    await rig.loadTicket({ units: outages.length });
    await rig.start();
  });
  after(async () => {
    await parts?.[Symbol.asyncDispose]();
    await rig?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const { part, words, during, code, shown } of outages)
    it(`holds the unit while ${words} is down, and lets it go by itself when it is back`, async () => {
      const since = rig.mark();
      const crashed = rig.onState(during, () => parts.crash(part));
      const unit = await rig.feed();
      await crashed;
      await (shown ? rig.heldAndShown(code, since) : rig.held(code, since));
      assert.ok(!rig.gate.some((gate) => gate.event === 'OPENED' && gate.unit === unit));
      await parts.start(part);
      assert.equal(await rig.departure(unit), 'good');
      released.push(unit);
    });

  it('names the reason that the station knows, not that the gateway heard of a failure', () => {
    const holds = rig.lines.filter(({ event }) => event === 'unit-held');
    assert.ok(holds.length >= outages.length);
    assert.deepEqual(
      holds.filter(({ outcome }) => outcome === 'unsent'),
      [],
    );
  });

  it('has lost nothing and done nothing twice', () => assertWhole(rig, { released }));

  it('has said it all in words, without a stack trace', () => assertCalm(rig));
});
