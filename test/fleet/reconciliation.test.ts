/** Reconciliation of an open ticket: everybody who counts counts alike, or the unit is named, at once and by itself. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { BackendPorts } from '../../runtime/backend/ports.ts';
import { createReconciler } from '../../runtime/backend/reconciliation.ts';
import { filterOf } from '../../runtime/core/messages/channel.ts';
import { statusReconciliation } from '../../runtime/core/messages/reconciliation.ts';
import type { World } from '../../scripts/simulation/world.ts';
import type { Desk } from '../pki/command.ts';
import { deskOf, livedLine, REJECTED, REVOKED, UNITS } from './fleet-line.ts';

const SOCKET = ['--socket', 'backend.socket'] as const;
/** One of them is rejected. */
const GOOD = UNITS - 1;

interface Status {
  readonly agrees: boolean;
  readonly differences: number;
  readonly units: readonly {
    readonly operation: string;
    readonly eidEnd: string;
    readonly missing: string;
  }[];
  readonly counts: { readonly released: number; readonly mes: number | null };
}

/** Backend's ports with which only counting is done; what it says and publishes is kept. */
function counting(world: World) {
  const published: Status[] = [];
  const alarms: Record<string, unknown>[] = [];
  const ports = {
    clock: world.clock,
    store: world.fleet.connect(),
    bus: {
      publish: async (topic: string, payload: Uint8Array, options: object) => {
        assert.equal(topic, filterOf(statusReconciliation, { ticket: 'SIM-1' }));
        assert.deepEqual(options, { qos: 1, retain: true });
        published.push(statusReconciliation.payload.parse(JSON.parse(Buffer.from(payload).toString())));
      },
    },
    log: {
      write: (_: string, event: string, fields: Record<string, unknown>) => {
        if (event === 'fault') alarms.push(fields);
      },
    },
  } as unknown as BackendPorts;
  return { ports, published, alarms };
}

describe('the reconciliation of a ticket', () => {
  let world: World;
  before(async () => {
    world = await livedLine();
  });

  const asked = async (desk: Desk, ...more: readonly string[]) => {
    const { code, out } = await desk.holdfast('fleet', 'reconcile', 'SIM-1', ...more, ...SOCKET, '--json');
    const [answer = ''] = out.split('\n');
    return {
      code,
      ...(JSON.parse(answer) as {
        counts: Status['counts'];
        differences: { eid: string; missing: string }[];
      }),
    };
  };
  const releasedEids = (): string[] =>
    world.fleet.tables.operations
      .all()
      .filter(({ state }) => state === 'released')
      .map(({ eid }) => eid);

  it('agrees on a good day, with the number of the MES as well', async () => {
    await using desk = deskOf(world);
    const { code, counts, differences } = await asked(desk, '--mes', String(GOOD));
    assert.deepEqual([code, differences, counts.released, counts.mes], [0, [], GOOD, GOOD]);
  });

  it('names the unit that the MES does not count, and one that it counts and that never left well', async () => {
    await using desk = deskOf(world);
    const told = releasedEids().filter((eid) => eid !== REVOKED);
    const file = desk.write('mes.txt', [...told, REJECTED].join('\n'));
    const { code, differences } = await asked(desk, '--mes-units', file);
    assert.equal(code, 1);
    assert.deepEqual(
      differences.map(({ eid, missing }) => [eid, missing]),
      [
        [REVOKED, 'it has left, the MES does not count it'],
        [REJECTED, 'the MES counts it, it has not left by the good lane'],
      ],
    );
  });

  it('goes on by itself: the status is retained, and a difference is one alarm with the unit’s name', async () => {
    const { ports, published, alarms } = counting(world);
    createReconciler(ports, 60_000);
    const rounds = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const until = world.clock.monotonicMs() + 60_000;
        while (await world.clock.runNext(until)) await new Promise(setImmediate);
      }
    };
    await rounds(2);
    assert.ok(published.length > 0 && published.every(({ agrees }) => agrees));
    assert.equal(alarms.length, 0);

    const gone = world.fleet.tables.confirmations.all();
    const [first] = gone;
    world.fleet.tables.confirmations.load(gone.slice(1));
    await rounds(3);
    world.fleet.tables.confirmations.load(gone);
    const last = published.at(-1);
    assert.deepEqual([last?.agrees, last?.units[0]?.operation], [false, first?.operation]);
    assert.equal(alarms.length, 1);
    assert.deepEqual([alarms[0]?.code, alarms[0]?.operation], ['COUNTS_DIFFER', first?.operation]);
    assert.match(String(alarms[0]?.missing), /confirmation is missing/);
    assert.ok(!JSON.stringify([published, alarms]).includes(releasedEids()[0] ?? '?'), 'an EID in full');
    await rounds(2);
    assert.equal(published.at(-1)?.agrees, true);
  });

  it('is refused for a ticket that nobody has used', async () => {
    await using desk = deskOf(world);
    const { code, err } = await desk.holdfast('fleet', 'reconcile', 'NONE-1', ...SOCKET);
    assert.equal(code, 1);
    assert.match(err, /CLOSE_OUT_REFUSED/);
  });
});
