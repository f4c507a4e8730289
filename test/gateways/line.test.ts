/** Two gateway processes on one token, one ledger and one broker: one is killed in the middle of a unit. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openRig, type Rig } from '../doors/rig.ts';
import { assertWhole } from '../doors/whole.ts';
import { socketClaims } from './sockets.ts';

/** Units that may finish before the kill strikes one. */
const TRIES_MAX = 10;

/** How often a gateway's log says something. */
function said(rig: Rig, log: string, event: string): number {
  return readFileSync(join(rig.places.logs, log), 'utf8').split(`"event":"${event}"`).length - 1;
}

describe('a line with two gateways', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-gateways-'));
  const released: number[] = [];
  let rig: Rig;
  const leaves = async (unit: number): Promise<void> => {
    assert.equal(await rig.departure(unit), 'good');
    released.push(unit);
  };
  before(async () => {
    rig = await openRig(directory, 2);
    await rig.loadTicket({ units: TRIES_MAX + 3 });
    await rig.start();
    for (let i = 0; i < 2; i++) await leaves(await rig.feed());
  });
  after(async () => {
    await rig[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  socketClaims(() => rig);

  it('goes on when the gateway of the unit in work is killed, and with the one that is left', async () => {
    const logs = ['gateway.log', 'gateway-2.log'];
    assert.deepEqual(
      logs.map((log) => said(rig, log, 'dialogue-opened')),
      [1, 1],
    );
    let killed = -1;
    for (let i = 0; killed < 0 && i < TRIES_MAX; i++) {
      const since = rig.mark();
      const unit = await rig.feed();
      await rig.logged('a list', ({ on }) => on === 'list-issued', since);
      killed = logs.findIndex((log) => said(rig, log, 'dialogue-opened') > said(rig, log, 'dialogue-ended'));
      rig.line.parts.gateways[killed]?.child.kill('SIGKILL');
      await leaves(unit);
    }
    assert.notEqual(killed, -1, 'no gateway was killed in the middle of a unit');
    const [other = ''] = logs.filter((_, i) => i !== killed);
    const before = said(rig, other, 'dialogue-opened');
    await leaves(await rig.feed());
    assert.equal(said(rig, other, 'dialogue-opened'), before + 1);
    await assertWhole(rig, { released });
  });
});
