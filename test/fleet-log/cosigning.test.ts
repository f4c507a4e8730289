import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createInMemoryHttp } from '../../drivers/http/in-memory.ts';
import { beginCosigning } from '../../runtime/backend/cosigning.ts';
import { judgeNote } from '../../runtime/core/log/policy.ts';
import { type CosignedLog, cosignedLog, policy, ROUND_MS, serveWitnesses } from './cosigned-log.ts';
import { grownLog } from './grown-log.ts';

/** `size witness`, of all that is kept. */
async function keptBy({ store }: CosignedLog): Promise<readonly string[]> {
  const rows = await store.transaction((tx) => tx.cosignatures(0, 100));
  return rows.map(({ size, witness }) => `${size} ${witness}`);
}

const faultsOf = ({ log }: CosignedLog) =>
  log.lines.flatMap(({ event, fields }) => (event === 'fault' ? [fields?.code] : []));

describe('the backend of a witnessed log', () => {
  it('has each committed size cosigned, and keeps what verifies under the policy', async () => {
    const http = createInMemoryHttp();
    await serveWitnesses(http);
    const fleet = await cosignedLog(5, http);
    await fleet.round();
    await fleet.grow(5, 300);
    await fleet.round();
    await fleet.round();
    assert.deepEqual(await keptBy(fleet), ['5 a', '5 b', '5 c', '300 a', '300 b', '300 c']);
    const rows = await fleet.store.transaction((tx) => tx.cosignatures(300, 9));
    const note = `${rows[0]?.checkpoint}${rows.map(({ line }) => `${line}\n`).join('')}`;
    const judged = judgeNote(note, policy, nodeCrypto);
    assert.ok(typeof judged !== 'string');
    assert.deepEqual([judged.checkpoint.size, judged.witnesses.length, judged.quorum], [300, 3, true]);
  });

  it('finds out from the witness what it saw last, after a restart that knows nothing', async () => {
    const http = createInMemoryHttp();
    await serveWitnesses(http);
    const fleet = await cosignedLog(5, http);
    await fleet.round();
    fleet.database.tables.cosignatures.load([]);
    const again = await beginCosigning(
      { policyFile: 'none', roundMs: ROUND_MS, deadlineMs: 100 },
      { policy, http: http.client },
      { ...fleet.ports, clock: fleet.clock, log: fleet.log },
      fleet.sequencer,
    );
    await fleet.grow(5, 9);
    await again();
    assert.deepEqual(await keptBy(fleet), ['9 a', '9 b', '9 c']);
  });

  it('waits for nobody: with silent witnesses it registers as before, and asks them again later', async () => {
    const http = createInMemoryHttp();
    await serveWitnesses(http);
    const fleet = await cosignedLog(5, http);
    for (const name of ['b', 'c']) http.silence(name, true);
    await fleet.round();
    assert.deepEqual(await keptBy(fleet), ['5 a']);
    assert.deepEqual(faultsOf(fleet), ['WITNESS_UNREACHABLE', 'WITNESS_UNREACHABLE']);
    await fleet.grow(5, 6);
    http.silence('b', false);
    await fleet.round();
    assert.deepEqual(await keptBy(fleet), ['5 a', '6 a', '6 b']);
  });

  it('runs its rounds by the clock, one after the other', async () => {
    const http = createInMemoryHttp();
    await serveWitnesses(http);
    const fleet = await cosignedLog(5, http);
    const pass = async () => {
      await fleet.clock.runNext(fleet.clock.monotonicMs() + ROUND_MS);
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    };
    await pass();
    assert.equal((await keptBy(fleet)).length, 3);
    await fleet.grow(5, 8);
    await pass();
    assert.equal((await keptBy(fleet)).length, 6);
  });

  it('is told when a witness has seen another history, and keeps nothing of it', async () => {
    const http = createInMemoryHttp();
    await serveWitnesses(http);
    const fleet = await cosignedLog(7, http);
    await fleet.round();
    const fork = await cosignedLog(0, http);
    await fork.grow(0, 6);
    await fork.round();
    await fork.grow(6, 9, 'otherwise');
    await fork.round();
    assert.deepEqual(faultsOf(fork), Array(6).fill('WITNESS_REFUSES'));
    assert.deepEqual(await keptBy(fork), []);
  });

  it('keeps no cosignature that is of another key or another checkpoint', async () => {
    const http = createInMemoryHttp();
    const fleet = await cosignedLog(5, http);
    const other = createInMemoryHttp();
    await serveWitnesses(other);
    const fork = await cosignedLog(4, other);
    await fork.round();
    const [stale] = await fork.store.transaction((tx) => tx.cosignatures(0, 1));
    for (const name of ['a', 'b', 'c'])
      await http
        .door(name)
        .serve(async () => ({ status: 200, type: 'text/plain', body: `${stale?.line}\n` }));
    await fleet.round();
    assert.deepEqual(await keptBy(fleet), []);
    assert.deepEqual(faultsOf(fleet), Array(3).fill('WITNESS_REFUSES'));
  });

  it('does not begin with a policy that is of another log', async () => {
    const { ports, sequencer } = await grownLog(1);
    const strange = {
      ...policy,
      logs: policy.logs.map((one) => ({ ...one, key: { ...one.key, name: 'other' } })),
    };
    await assert.rejects(
      beginCosigning(
        { policyFile: 'none', roundMs: 1, deadlineMs: 1 },
        { policy: strange, http: createInMemoryHttp().client },
        ports,
        sequencer,
      ),
      { code: 'CONFIG_INVALID' },
    );
  });
});
