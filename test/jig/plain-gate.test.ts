/** The driver on a board with stock firmware: refused, unless it is allowed to play the gate controller itself. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { plainNestPins, simulatedNestPins } from '../../drivers/jig/controller/pin-map.ts';
import { openFirmataJig } from '../../drivers/jig/firmata/jig.ts';
import type { FirmataJigOptions } from '../../drivers/jig/firmata/options.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { ControllerReport, Release } from '../../runtime/core/gate/release.ts';
import type { Jig, JigEvent } from '../../runtime/core/ports.ts';
import { type BoardRig, ownChild, PATIENT, startBoardRig, until } from './board-rig.ts';

interface Bench {
  readonly rig: BoardRig;
  readonly jig: Jig;
  readonly events: readonly JigEvent[];
  /** Feeds one unit and waits for its name. */
  arrival(): Promise<number>;
  /** How often the witness saw a gate open. */
  openings(): Promise<number>;
  sensed(): Promise<Record<string, boolean>>;
}

function optionsOf(rig: BoardRig): FirmataJigOptions {
  return {
    serialPath: rig.serialPath,
    controller: 'gate-1',
    nests: { n1: plainNestPins },
    deadlines: { ...PATIENT, gateOpenMs: 1_500 },
    plain: { memoryFile: `${rig.directory}/plain-gate.json` },
  };
}

async function withRig(test: (rig: BoardRig) => Promise<void>, firmware: 'stock' | 'ours' = 'stock') {
  const rig = await startBoardRig({ firmware });
  try {
    await test(rig);
  } finally {
    await rig.stop();
  }
}

function onBench(test: (bench: Bench) => Promise<void>): Promise<void> {
  return withRig(async (rig) => {
    await using jig = await openFirmataJig(optionsOf(rig));
    const events: JigEvent[] = [];
    jig.onEvent((event) => events.push(event));
    const arrived = (): readonly ControllerReport[] =>
      events.flatMap((event) =>
        event.kind === 'report' && event.report.kind === 'arrived' ? [event.report] : [],
      );
    let index = 0;
    await test({
      rig,
      jig,
      events,
      arrival: async () => {
        const before = arrived().length;
        await rig.ask({ verb: 'feed', count: 1, firstIndex: index++ });
        await until(() => arrived().length > before);
        return arrived().at(-1)?.arrival ?? 0;
      },
      openings: async () => (await rig.gateLog()).filter(({ event }) => event === 'OPENED').length,
      sensed: async () => (await rig.ask({ verb: 'status' })).sensed as Record<string, boolean>,
    });
  });
}

function release(about: Pick<Release, 'arrival' | 'counter'>): Release {
  const blank = { controller: 'gate-1', nest: 'n1', lane: 'good', epoch: 1, tag: null } as const;
  return { ...blank, operation: '01930000-0000-7000-8000-00000000abcd', ...about };
}

function failsWith(code: string, reason?: string): (error: unknown) => boolean {
  return (error) =>
    isFault(error) && error.code === code && (reason === undefined || error.context.reason === reason);
}

describe('a board with plain Firmata', () => {
  it('is refused, unless the configuration allows it', () =>
    withRig(async (rig) => {
      const { plain: _, ...usual } = optionsOf(rig);
      await assert.rejects(openFirmataJig(usual), failsWith('JIG_REFUSED'));
      assert.deepEqual(await rig.gateLog(), [], 'no gate moved');
    }));

  it('is all that is taken where it is allowed: a gate controller is refused', () =>
    withRig(async (rig) => {
      await assert.rejects(openFirmataJig(optionsOf(rig)), failsWith('JIG_REFUSED'));
    }, 'ours'));

  it('is not taken without the pins of a gate, a memory, or with two nests', async () => {
    const whole = optionsOf({ serialPath: '/nowhere/board', directory: '/nowhere' } as BoardRig);
    const lacking: readonly Partial<FirmataJigOptions>[] = [
      { nests: { n1: simulatedNestPins } },
      { nests: { n1: plainNestPins, n2: plainNestPins } },
      { plain: { memoryFile: null } },
      { deadlines: { gateOpenMs: 10_000, leaveMs: 10_000 } },
    ];
    for (const change of lacking)
      await assert.rejects(openFirmataJig({ ...whole, ...change }), failsWith('CONFIG_INVALID'));
  });

  it('is not taken when its gate could not remember', () =>
    withRig(async (rig) => {
      const options = optionsOf(rig);
      const plain = { memoryFile: `${rig.directory}/nowhere/plain-gate.json` };
      const deadlines = { ...options.deadlines, openJigMs: 1_000 };
      await assert.rejects(openFirmataJig({ ...options, deadlines, plain }), failsWith('FILE_UNREADABLE'));
    }));

  it('takes a unit from arrival to exit, under names that the driver makes', () =>
    onBench(async ({ jig, arrival, openings, sensed }) => {
      const first = await arrival();
      await jig.clamp('n1', 'closed');
      await jig.clamp('n1', 'open');
      const said = await jig.open(release({ arrival: first, counter: 1 }));
      assert.deepEqual([said.kind, said.left.arrival, said.mac], ['left', first, null]);
      await until(async () => (await sensed())['gate-good-closed'] === true);
      assert.ok((await arrival()) > first);
      assert.equal(await openings(), 1);
    }));

  it('never opens twice for one arrival', () =>
    onBench(async ({ rig, jig, arrival, openings, sensed }) => {
      await rig.ask({ verb: 'stick', what: 'unit', stuck: true });
      const now = await arrival();
      await jig.clamp('n1', 'open');
      const opening = assert.rejects(
        jig.open(release({ arrival: now, counter: 1 })),
        failsWith('GATE_CLOSED'),
      );
      await until(async () => (await openings()) === 1);
      for (const counter of [1, 2])
        await assert.rejects(jig.open(release({ arrival: now, counter })), failsWith('GATE_REFUSED'));
      await opening;
      await until(async () => (await sensed())['gate-good-closed'] === true);
      for (const counter of [1, 2])
        await assert.rejects(
          jig.open(release({ arrival: now, counter })),
          failsWith('GATE_REFUSED', 'arrival-stale'),
        );
      assert.equal(await openings(), 1);
    }));

  it('keeps its gate as it is while the driver is dead; the next driver shuts it and remembers', () =>
    onBench(async ({ rig, jig, events, arrival, openings, sensed }) => {
      await rig.ask({ verb: 'stick', what: 'unit', stuck: true });
      const now = await arrival();
      await jig.clamp('n1', 'open');
      const opening = assert.rejects(
        jig.open(release({ arrival: now, counter: 4 })),
        failsWith('JIG_LINK_LOST'),
      );
      await until(async () => (await openings()) === 1);
      process.kill(ownChild('firmata/child.js'), 'SIGKILL');
      await opening;
      assert.equal((await sensed())['gate-good-closed'], false, 'stock firmware does not miss its host');
      await until(() => events.some(({ kind }) => kind === 'ready'));
      await until(async () => (await sensed())['gate-good-closed'] === true);
      const after = await jig.report('n1');
      assert.deepEqual([after.obeyed, after.left.arrival], [4, 0]);
      assert.ok(after.arrival > now);
      await jig.clamp('n1', 'open');
      await assert.rejects(jig.open(release({ arrival: now, counter: 5 })), failsWith('GATE_REFUSED'));
      const used = release({ arrival: after.arrival, counter: 4 });
      await assert.rejects(jig.open(used), failsWith('GATE_REFUSED', 'counter-used'));
      assert.equal(await openings(), 1);
    }));

  it('gives the unit another name after a lost link, and has moved nothing meanwhile', () =>
    onBench(async ({ rig, jig, events, arrival, openings }) => {
      const now = await arrival();
      await jig.clamp('n1', 'open');
      await rig.ask({ verb: 'misbehave', misbehaviour: { kind: 'halt', forMs: 1_500 } });
      await until(() => events.some(({ kind }) => kind === 'lost'));
      await assert.rejects(jig.open(release({ arrival: now, counter: 1 })), failsWith('JIG_LINK_LOST'));
      await until(() => events.some(({ kind }) => kind === 'ready'));
      assert.ok((await jig.report('n1')).arrival > now);
      assert.equal(await openings(), 0);
    }));

  it('shuts its gates when the driver ends', () =>
    withRig(async (rig) => {
      const jig = await openFirmataJig(optionsOf(rig));
      await rig.ask({ verb: 'stick', what: 'unit', stuck: true });
      await rig.ask({ verb: 'feed', count: 1, firstIndex: 0 });
      await until(async () => (await jig.report('n1')).arrival > 0);
      await jig.clamp('n1', 'open');
      const { arrival } = await jig.report('n1');
      const opening = assert.rejects(jig.open(release({ arrival, counter: 1 })), failsWith('JIG_LINK_LOST'));
      await until(async () => (await rig.gateLog()).some(({ event }) => event === 'OPENED'));
      await jig.close();
      await opening;
      assert.ok((await rig.gateLog()).some(({ event }) => event === 'CLOSED'));
    }));

  it('gives later names after each start, and none from the beginning though its memory was lost', () =>
    withRig(async (rig) => {
      const options = optionsOf(rig);
      await rig.ask({ verb: 'feed', count: 1, firstIndex: 0 });
      const nameNow = async (): Promise<number> => {
        await using jig = await openFirmataJig(options);
        return (await jig.report('n1')).arrival;
      };
      const first = await nameNow();
      const second = await nameNow();
      assert.ok(first > 0 && second > first);
      await rm(options.plain?.memoryFile ?? '');
      const minute = Math.floor(Date.now() / 60_000);
      assert.ok((await nameNow()) > minute * 2 ** 20);
    }));
});
