import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { leafOf } from '../../runtime/core/log/leaf.ts';
import { leafHash } from '../../runtime/core/log/tree.ts';
import type { FleetTransaction, OperationRow, OperationState } from '../../runtime/core/store/fleet.ts';
import { inProcess } from '../cli/support.ts';
import { type CertifiedUnits, certifiedUnits } from './certified-units.ts';
import { meansOf } from './grown-log.ts';

const top = mkdtempSync(join(tmpdir(), 'holdfast-dock-'));
after(() => rmSync(top, { recursive: true }));
const policy = join(top, 'policy');
let fleet: CertifiedUnits;

const unit = () => fleet.records[0] ?? assert.fail();

function ask(eid = unit().eid, ...args: readonly string[]) {
  return inProcess(['fleet', 'may-ship', '--eid', eid, '--policy', policy, ...args], meansOf(fleet.store));
}

async function stays(why: RegExp, eid?: string): Promise<void> {
  const { code, out } = await ask(eid);
  assert.equal(code, 3, out);
  assert.match(out, /^MUST STAY\n/);
  assert.match(out, why);
}

/** What the database says meanwhile; as it was before, afterwards. */
async function meanwhile(
  change: (tx: FleetTransaction) => Promise<void>,
  then: () => Promise<void>,
): Promise<void> {
  const restore = fleet.world.fleet.backup();
  await fleet.store.transaction(change);
  try {
    await then();
  } finally {
    restore();
  }
}

async function operationOf(tx: FleetTransaction): Promise<OperationRow> {
  return (await tx.operationByEid(unit().eid)) ?? assert.fail();
}

before(async () => {
  fleet = await certifiedUnits(2);
  writeFileSync(policy, fleet.policyText);
});

describe('at the dock, a unit', () => {
  it('stays until enough witnesses have cosigned its record', async () => {
    await stays(/its proof lacks witnesses: nobody cosigned so far/);
    await fleet.witness('a', 'b');
  });

  it('may leave that is released, whole in custody, not revoked, and proved before the witnesses', async () => {
    const { code, out, err } = await ask();
    assert.deepEqual([code, out, err], [0, 'MAY SHIP\n', '']);
    const json = JSON.parse((await ask(unit().eid, '--json')).out);
    assert.deepEqual(json, { eid: unit().eid, mayShip: true, objections: [] });
  });

  it('stays while nobody knows it', () =>
    stays(/the fleet does not know this unit/, '89049032000000000000000000009960'));

  it('stays in every state but released', async () => {
    const why: Readonly<Partial<Record<OperationState, RegExp>>> = {
      reserved: /not finished/,
      recorded: /not seen to leave its fixture/,
      rejected: /it was rejected, and is in quarantine/,
      diverted: /left by the reject lane/,
    };
    for (const [state, words] of Object.entries(why) as [OperationState, RegExp][])
      await meanwhile(
        async (tx) => tx.updateOperation({ ...(await operationOf(tx)), state }),
        () => stays(words),
      );
  });

  it('stays once another chip showed its EID', () =>
    meanwhile(
      async (tx) => {
        const { operation, seFingerprint } = await operationOf(tx);
        const row = { operation, seFingerprint, eid: unit().eid, faultCode: 'UNIT_CLONED', at: '2026-01-02' };
        await tx.insertAppearances([
          { ...row, key: 'clone', appearance: 'clone', entry: new Uint8Array(0), leafIndex: 9 },
        ]);
      },
      () => stays(/in quarantine: another chip showed its EID at 2026-01-02/),
    ));

  it('stays while officers have set it aside', () =>
    meanwhile(
      async (tx) => {
        const { eid } = unit();
        const { size: index } = await tx.readHead();
        const about = { eid, act: 'quarantine', from: 'RELEASED', to: 'QUARANTINED', predecessor: 0 };
        const body = { ...about, reason: 'found open', evidence: null, subject: 'aa', approvals: [] };
        const { key, entry } = leafOf('unit-life', `life/${eid}/0`, '2026-01-01T00:10:00.000Z', body);
        await tx.insertLeaves([{ index, key, entry, hash: leafHash(entry, nodeCrypto.sha256) }]);
      },
      () => stays(/it is in quarantine since 2026-01-01T00:10:00.000Z: found open/),
    ));

  it('stays once its certificate is revoked', () =>
    meanwhile(
      (tx) =>
        tx.insertRevocations([
          {
            ...{ serial: unit().certificateSerial ?? '', eid: unit().eid, issuer: 'i', plan: 'p' },
            ...{ reason: 'keyCompromise', revokedAt: '2026-02-01', leafIndex: 9 },
          },
        ]),
      () => stays(/its certificate is revoked since 2026-02-01: keyCompromise/),
    ));

  it('stays when its record, its custody or its leaf is another than was logged', async () => {
    const { tables } = fleet.world.fleet;
    const restore = fleet.world.fleet.backup();
    const records = tables.records.all();
    tables.records.load(
      records.map((row) => ({ ...row, record: Buffer.from(`${Buffer.from(row.record).toString()} `) })),
    );
    await stays(/its record is not the one that was logged/);
    restore();
    tables.custody.load(tables.custody.all().map((row) => ({ ...row, statement: `${row.statement}x` })));
    await stays(/its chain of custody is not the one that its record names/);
    restore();
    tables.custody.load(tables.custody.all().filter(({ position }) => position !== 1));
    await stays(/its chain of custody/);
    restore();
    tables.custody.load(
      tables.custody.all().map((row) => (row.position === 1 ? { ...row, holder: 'somebody' } : row)),
    );
    await stays(/its chain of custody/);
    restore();
    tables.custody.load(tables.custody.all().filter(({ position }) => position === 0));
    await stays(/its chain of custody/);
    restore();
    const [other] = fleet.records.slice(1);
    tables.leaves.load(
      tables.leaves
        .all()
        .map((row) =>
          row.key === `record/${unit().operation}` ? { ...row, hash: row.hash.map((byte) => byte ^ 1) } : row,
        ),
    );
    await stays(/its proof does not hold: the record is not the one in the log/);
    restore();
    assert.equal((await ask()).code, 0);
    assert.equal((await ask(other?.eid)).code, 0);
  });
});
