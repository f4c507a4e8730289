/** What every driver of the jig port holds, with a line behind it that moves and a controller that judges. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import type { GateLogLine } from '../../drivers/jig/controller/fixture.ts';
import { tagOf } from '../../drivers/jig/controller/gate-controller.ts';
import type { Stuck } from '../../drivers/jig/controller/line.ts';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import { type BlockCipher, cmac } from '../../runtime/core/crypto/cmac.ts';
import { isFault } from '../../runtime/core/faults.ts';
import {
  type ControllerReport,
  type GateKind,
  type Reason,
  type Release,
  reportBytes,
} from '../../runtime/core/gate/release.ts';
import type { Jig, JigEvent } from '../../runtime/core/ports.ts';

export const CONTROLLER = 'gate-1';
export const NEST = 'n1';
const OPERATION = '01930000-0000-7000-8000-00000000abcd';

/** A jig, the machine behind it, and the means to disturb both. */
export interface JigRig {
  /** Key of the release tags; null for plain Firmata. */
  readonly tagKey: string | null;
  /** Whether the gate log names arrivals and releases: whoever watches plain pins sees none. */
  readonly namesInLog: boolean;
  jig(): Jig;
  /** Lets time pass until the promise settles. */
  run<Value>(promise: Promise<Value>): Promise<Value>;
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Every event since the start, over all hosts. */
  readonly events: readonly JigEvent[];
  feed(count: number): Promise<void>;
  takeByHand(): Promise<void>;
  stick(what: Stuck, stuck: boolean): Promise<void>;
  clampIsOpen(): Promise<boolean>;
  loseLink(): Promise<void>;
  resetBoard(): Promise<void>;
  /** The host falls silent for good, without a last word. */
  killHost(): Promise<void>;
  startHost(): Promise<void>;
  gateLog(): Promise<readonly GateLogLine[]>;
  stop(): Promise<void>;
}

/** @param gate claims that plain pins cannot keep are skipped for `plain-firmata`, each with its reason */
export function jigContract(name: string, start: () => Promise<JigRig>, gate: GateKind = 'controller'): void {
  const holds = (
    claim: string,
    test: (rig: JigRig) => Promise<void>,
    unlessPlain: { readonly skip?: string } = {},
  ): void => {
    it(claim, gate === 'plain-firmata' ? unlessPlain : {}, async () => {
      const rig = await start();
      try {
        await test(rig);
      } finally {
        await rig.stop();
      }
    });
  };

  describe(`the jig port: ${name}`, () => {
    holds(
      'names every arrival afresh and reports under the MAC of the controller, if it has a key',
      async (rig) => {
        const first = await arrival(rig);
        const report = await rig.run(rig.jig().report(NEST));
        assert.equal(report.arrival, first);
        assert.equal(report.gate, 'closed');
        const cipher = cipherOf(rig);
        assert.equal(report.mac, cipher === null ? null : toHex(cmac(cipher, reportBytes(report))));
        await rig.takeByHand();
        await rig.until(() => seen(rig, 'closed', 'presence-lost').length === 1);
        assert.equal((await rig.run(rig.jig().report(NEST))).arrival, 0);
        assert.ok((await arrival(rig)) > first);
      },
    );

    holds('tells an answer in its turn: what happened after it is heard after it', async (rig) => {
      const asked = rig.jig().report(NEST);
      await rig.feed(1);
      const answer = await rig.run(asked);
      const reports = rig.events.flatMap((event) => (event.kind === 'report' ? [event.report] : []));
      assert.ok(reports.some((report) => report.mac === answer.mac && report.kind === 'status'));
      await rig.until(() => seen(rig, 'arrived').length === 1);
      const kinds = rig.events.flatMap((event) => (event.kind === 'report' ? [event.report.kind] : []));
      assert.ok(kinds.indexOf('status') < kinds.indexOf('arrived'), kinds.join(', '));
    });

    holds('confirms the clamp by its own switches, and says so when they do not', async (rig) => {
      await rig.run(rig.jig().clamp(NEST, 'open'));
      assert.equal(await rig.clampIsOpen(), true);
      await rig.run(rig.jig().clamp(NEST, 'closed'));
      assert.equal(await rig.clampIsOpen(), false);
      await rig.stick('clamp', true);
      await fails(rig, rig.jig().clamp(NEST, 'open'), 'CLAMP_TIMEOUT');
    });

    holds('releases a unit by its lane once, and only then brings the next', async (rig) => {
      const first = await arrival(rig, 2);
      await rig.run(rig.jig().lamp(NEST, 'busy'));
      await rig.run(rig.jig().clamp(NEST, 'open'));
      const left = await rig.run(
        rig.jig().open(release(rig, { arrival: first, counter: 5, lane: 'reject' })),
      );
      assert.equal(left.kind, 'left');
      assert.deepEqual(left.left, { arrival: first, counter: 5, lane: 'reject' });
      assert.equal(left.arrival, 0);
      await rig.until(() => seen(rig, 'arrived').length === 2);
      const next = await rig.run(rig.jig().report(NEST));
      assert.ok(next.arrival > first);
      assert.deepEqual([next.obeyed, next.left.arrival], [5, first]);
      const seenAtGate = (await rig.gateLog()).filter(({ event }) => event === 'OPENED' || event === 'LEFT');
      const names = rig.namesInLog ? [first, 'reject', 5] : [0, 'reject', 0];
      assert.deepEqual(
        seenAtGate.map(({ event, arrival, lane, counter }) => [event, arrival, lane, counter]),
        [
          ['OPENED', ...names],
          ['LEFT', ...names],
        ],
      );
      assert.ok((seenAtGate[1]?.motionMs ?? 0) >= (seenAtGate[0]?.motionMs ?? 0));
    });

    holds(
      'refuses a tag that does not verify, for whatever reason',
      async (rig) => {
        const now = await arrival(rig);
        await rig.run(rig.jig().clamp(NEST, 'open'));
        const good = release(rig, { arrival: now, counter: 1 });
        await refused(rig, { ...good, tag: `00${good.tag?.slice(2)}` }, 'tag-wrong');
        await refused(rig, { ...good, lane: 'reject' }, 'tag-wrong');
        await refused(rig, { ...good, counter: 2 }, 'tag-wrong');
        await refused(rig, { ...good, epoch: 9 }, 'tag-wrong');
        await refused(rig, release(rig, { arrival: now, counter: 1, controller: 'gate-2' }), 'tag-wrong');
        const report = await rig.run(rig.jig().report(NEST));
        assert.deepEqual([report.gate, report.obeyed], ['closed', 0]);
      },
      { skip: 'plain Firmata has no place for a key: no tag is verified' },
    );

    holds(
      'refuses a release of the other kind: without a tag, or with one where none is verified',
      async (rig) => {
        const now = await arrival(rig);
        await rig.run(rig.jig().clamp(NEST, 'open'));
        const good = release(rig, { arrival: now, counter: 1 });
        await refused(rig, { ...good, tag: good.tag === null ? '00'.repeat(16) : null }, 'tag-wrong');
        assert.deepEqual(
          (await rig.gateLog()).filter(({ event }) => event === 'OPENED'),
          [],
        );
      },
    );

    holds(
      'refuses a release for another arrival, an empty nest, a clamped unit or a used counter',
      async (rig) => {
        await refused(rig, release(rig, { arrival: 1, counter: 7 }), 'absent');
        const first = await arrival(rig, 2);
        await refused(rig, release(rig, { arrival: first, counter: 7 }), 'clamped');
        await rig.run(rig.jig().clamp(NEST, 'open'));
        const used = release(rig, { arrival: first, counter: 7 });
        await rig.run(rig.jig().open(used));
        await rig.until(() => seen(rig, 'arrived').length === 2);
        await rig.until(async () => (await rig.run(rig.jig().report(NEST))).gate === 'closed');
        await refused(rig, used, 'arrival-stale');
        const { arrival: second } = await rig.run(rig.jig().report(NEST));
        await refused(rig, release(rig, { arrival: second, counter: 7 }), 'counter-used');
      },
    );

    holds(
      'closes when the unit is taken away from an open gate, and counts nobody as released',
      async (rig) => {
        const now = await arrival(rig);
        const opening = openOntoStuckUnit(rig, now, 1);
        await rig.until(async () => (await rig.gateLog()).some(({ event }) => event === 'OPENED'));
        await rig.takeByHand();
        await fails(rig, opening, 'GATE_CLOSED', 'presence-lost');
        const report = await rig.run(rig.jig().report(NEST));
        assert.deepEqual([report.arrival, report.obeyed, report.left.arrival], [0, 1, 0]);
      },
    );

    holds('closes by its own time-out, and the same release opens no more', async (rig) => {
      const now = await arrival(rig);
      await fails(rig, openOntoStuckUnit(rig, now, 1), 'GATE_CLOSED', 'timed-out');
      await rig.stick('unit', false);
      await refused(rig, release(rig, { arrival: now, counter: 1 }), 'arrival-stale');
      const report = await rig.run(rig.jig().report(NEST));
      assert.ok(report.arrival > now);
      assert.equal(report.left.arrival, 0);
    });

    holds(
      'closes an open gate when the host dies, and the next host reads what was obeyed',
      async (rig) => {
        const now = await arrival(rig);
        void openOntoStuckUnit(rig, now, 3);
        await rig.until(async () => (await rig.gateLog()).some(({ event }) => event === 'OPENED'));
        await rig.killHost();
        await rig.until(async () => (await rig.gateLog()).some(({ reason }) => reason === 'host-lost'));
        await rig.startHost();
        await rig.until(async () => (await rig.run(rig.jig().report(NEST))).gate === 'closed');
        const report = await rig.run(rig.jig().report(NEST));
        assert.deepEqual([report.obeyed, report.left.arrival], [3, 0]);
        assert.ok(report.arrival > now);
      },
      { skip: 'stock firmware keeps its outputs when its host dies: the gate stays as it is' },
    );

    holds(
      'reports after a lost link under the same arrival, and moved nothing meanwhile',
      async (rig) => {
        const now = await arrival(rig);
        await rig.run(rig.jig().clamp(NEST, 'open'));
        await rig.run(rig.jig().lamp(NEST, 'busy'));
        await rig.loseLink();
        await rig.until(() => rig.events.some(({ kind }) => kind === 'lost'));
        await fails(rig, rig.jig().open(release(rig, { arrival: now, counter: 1 })), 'JIG_LINK_LOST');
        await fails(rig, rig.jig().report(NEST), 'JIG_LINK_LOST');
        await rig.until(() => rig.events.some(({ kind }) => kind === 'ready'));
        const report = await rig.run(rig.jig().report(NEST));
        assert.deepEqual([report.arrival, report.gate, report.obeyed], [now, 'closed', 0]);
        await rig.until(async () => !(await rig.clampIsOpen()));
        assert.ok((await rig.gateLog()).every(({ event }) => event !== 'OPENED'));
      },
      { skip: 'nobody watches the nest while the link is away: the unit gets another name' },
    );

    holds('gives the unit a new name when the board was reset', async (rig) => {
      const now = await arrival(rig);
      await rig.resetBoard();
      await rig.until(() => rig.events.some(({ kind }) => kind === 'ready'));
      assert.ok((await rig.run(rig.jig().report(NEST))).arrival > now);
      await rig.run(rig.jig().clamp(NEST, 'open'));
      await refused(rig, release(rig, { arrival: now, counter: 1 }), 'arrival-stale');
    });
  });
}

/** Feeds and waits for the next arrival; returns its name. */
async function arrival(rig: JigRig, count = 1): Promise<number> {
  const before = seen(rig, 'arrived').length;
  await rig.feed(count);
  await rig.until(() => seen(rig, 'arrived').length > before);
  return seen(rig, 'arrived')[before]?.arrival ?? 0;
}

/** Its failure is the caller's to look at, and may come before the caller looks. */
function openOntoStuckUnit(rig: JigRig, now: number, counter: number): Promise<ControllerReport> {
  const opening = (async () => {
    await rig.stick('unit', true);
    await rig.run(rig.jig().clamp(NEST, 'open'));
    return rig.jig().open(release(rig, { arrival: now, counter }));
  })();
  opening.catch(() => undefined);
  return opening;
}

function seen(rig: JigRig, kind: ControllerReport['kind'], reason?: Reason): readonly ControllerReport[] {
  return rig.events
    .flatMap((event) => (event.kind === 'report' ? [event.report] : []))
    .filter((report) => report.kind === kind && (reason === undefined || report.reason === reason));
}

function cipherOf({ tagKey }: JigRig): BlockCipher | null {
  if (tagKey === null) return null;
  const key = fromHex(tagKey);
  return (block) => nodeCrypto.aesEncryptBlock(key, block);
}

function release(
  rig: JigRig,
  about: Partial<Pick<Release, 'controller' | 'lane'>> & Pick<Release, 'arrival' | 'counter'>,
): Release {
  const blank = { controller: CONTROLLER, nest: NEST, lane: 'good', operation: OPERATION, epoch: 1 } as const;
  const whole = { ...blank, ...about };
  const cipher = cipherOf(rig);
  return { ...whole, tag: cipher === null ? null : tagOf(cipher, whole) };
}

async function refused(rig: JigRig, asked: Release, reason: Reason): Promise<void> {
  await fails(rig, rig.jig().open(asked), 'GATE_REFUSED', reason);
}

async function fails(rig: JigRig, promise: Promise<unknown>, code: string, reason?: Reason): Promise<void> {
  await assert.rejects(rig.run(promise), (error) => {
    assert.ok(isFault(error), String(error));
    assert.equal(error.code, code, JSON.stringify(error.context));
    if (reason !== undefined) assert.equal(error.context.reason, reason);
    return true;
  });
}
