import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { tagOf } from '../../drivers/jig/controller/gate-controller.ts';
import type { Misbehaviour } from '../../drivers/jig/controller/mischief.ts';
import { simulatedNestPins } from '../../drivers/jig/controller/pin-map.ts';
import { openFirmataJig } from '../../drivers/jig/firmata/jig.ts';
import type { FirmataJigOptions } from '../../drivers/jig/firmata/options.ts';
import { fromHex } from '../../runtime/core/bytes.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { Release } from '../../runtime/core/gate/release.ts';
import type { Jig, JigEvent } from '../../runtime/core/ports.ts';
import { type BoardRig, ownChild, PATIENT, startBoardRig, TAG_KEY, until } from './board-rig.ts';

interface Bench {
  readonly rig: BoardRig;
  readonly jig: Jig;
  readonly events: readonly JigEvent[];
  misbehave(misbehaviour: Misbehaviour): Promise<void>;
  sensed(): Promise<Record<string, boolean>>;
  /** Waits for a loss and the recovery from it. */
  recovers(): Promise<void>;
}

function optionsOf(rig: BoardRig): FirmataJigOptions {
  const nests = { n1: simulatedNestPins };
  return { serialPath: rig.serialPath, controller: 'gate-1', nests, deadlines: PATIENT };
}

async function onBench(test: (bench: Bench) => Promise<void>): Promise<void> {
  const rig = await startBoardRig();
  try {
    await using jig = await openFirmataJig(optionsOf(rig));
    const events: JigEvent[] = [];
    jig.onEvent((event) => {
      if (event.kind !== 'report' || event.report.kind !== 'status') events.push(event);
    });
    let recovered = 0;
    await test({
      rig,
      jig,
      events,
      misbehave: async (misbehaviour) => {
        await rig.ask({ verb: 'misbehave', misbehaviour });
      },
      sensed: async () => (await rig.ask({ verb: 'status' })).sensed as Record<string, boolean>,
      recovers: async () => {
        const losses = (): number => events.filter(({ kind }) => kind === 'lost').length;
        await until(() => losses() > recovered);
        recovered += 1;
        await until(() => events.filter(({ kind }) => kind === 'ready').length === recovered);
      },
    });
  } finally {
    await rig.stop();
  }
}

function release(about: Pick<Release, 'arrival' | 'counter'>): Release {
  const blank = { controller: 'gate-1', nest: 'n1', lane: 'good', epoch: 1 } as const;
  const whole = { ...blank, operation: '01930000-0000-7000-8000-00000000abcd', ...about };
  const key = fromHex(TAG_KEY);
  return { ...whole, tag: tagOf((block) => nodeCrypto.aesEncryptBlock(key, block), whole) };
}

function failsWith(code: string): (error: unknown) => boolean {
  return (error) => isFault(error) && error.code === code;
}

describe('the Firmata jig on a board that misbehaves', () => {
  const losses: readonly (readonly [string, Misbehaviour])[] = [
    ['a reset that is announced', { kind: 'reset', announced: true, bootMs: 30 }],
    ['a reset in silence', { kind: 'reset', announced: false, bootMs: 0 }],
    ['a board that falls mute', { kind: 'mute', forMs: 1_500 }],
    ['a processor that hangs', { kind: 'halt', forMs: 1_500 }],
    ['pin states that stay wrong', { kind: 'wrong-pin-state', count: 6 }],
  ];
  for (const [what, misbehaviour] of losses)
    it(`notices ${what}, goes safe and comes back`, () =>
      onBench(async ({ jig, misbehave, recovers, sensed }) => {
        await jig.clamp('n1', 'open');
        await misbehave(misbehaviour);
        await recovers();
        await until(async () => (await sensed())['clamp-closed'] === true);
        assert.equal((await jig.report('n1')).gate, 'closed');
        await jig.clamp('n1', 'open');
      }));

  const absorbed: readonly (readonly [string, Misbehaviour])[] = [
    ['one wrong pin state', { kind: 'wrong-pin-state', count: 1 }],
    ['three bytes lost on the way to the board', { kind: 'drop', direction: 'to-board', count: 3 }],
    ['the end of a sysex lost', { kind: 'drop', direction: 'to-board', count: 1 }],
    ['a reply with damaged bytes', { kind: 'corrupt', direction: 'to-host', count: 4 }],
    ['bytes of a reply lost', { kind: 'drop', direction: 'to-host', count: 2 }],
    ['replies that come late', { kind: 'slow', byMs: 15, forMs: 400 }],
  ];
  for (const [what, misbehaviour] of absorbed)
    it(`absorbs ${what}`, () =>
      onBench(async ({ jig, misbehave, events }) => {
        for (const lamp of ['busy', 'held', 'idle'] as const) {
          await misbehave(misbehaviour);
          await jig.lamp('n1', lamp);
          await misbehave(misbehaviour);
          assert.equal((await jig.report('n1')).arrival, 0);
        }
        assert.deepEqual(events, []);
      }));

  it('refuses at once while the cable is out, and comes back on another cable', () =>
    onBench(async ({ rig, jig, events, recovers }) => {
      const plug = await rig.pullCable();
      await until(() => events.some(({ kind }) => kind === 'lost'));
      await assert.rejects(jig.clamp('n1', 'open'), failsWith('JIG_LINK_LOST'));
      await assert.rejects(jig.lamp('n1', 'held'), failsWith('JIG_LINK_LOST'));
      await plug();
      await recovers();
      await jig.report('n1');
    }));

  it('comes back after its own process was killed, and fails what was under way', () =>
    onBench(async ({ rig, jig, events, recovers }) => {
      await rig.ask({ verb: 'stick', what: 'unit', stuck: true });
      await rig.ask({ verb: 'feed', count: 1, firstIndex: 0 });
      await until(() => events.some((event) => event.kind === 'report' && event.report.kind === 'arrived'));
      await jig.clamp('n1', 'open');
      const { arrival } = await jig.report('n1');
      const opening = assert.rejects(jig.open(release({ arrival, counter: 1 })), failsWith('JIG_LINK_LOST'));
      await until(async () => (await rig.gateLog()).some(({ event }) => event === 'OPENED'));
      process.kill(ownChild('firmata/child.js'), 'SIGKILL');
      await opening;
      await recovers();
      assert.equal((await jig.report('n1')).obeyed, 1);
    }));

  it('finds, after a power cut of the board, that it forgot nothing that it obeyed', () =>
    onBench(async ({ rig, jig, events, recovers }) => {
      await rig.ask({ verb: 'feed', count: 1, firstIndex: 0 });
      await until(() => events.some((event) => event.kind === 'report' && event.report.kind === 'arrived'));
      await jig.clamp('n1', 'open');
      const before = await jig.report('n1');
      const left = await jig.open(release({ arrival: before.arrival, counter: 12 }));
      await rig.powerCycle();
      await recovers();
      const after = await jig.report('n1');
      assert.deepEqual([after.obeyed, after.left], [12, left.left]);
      await rig.ask({ verb: 'feed', count: 1, firstIndex: 1 });
      await until(async () => (await jig.report('n1')).arrival > before.arrival);
      const { arrival } = await jig.report('n1');
      await jig.clamp('n1', 'open');
      await assert.rejects(jig.open(release({ arrival, counter: 12 })), (error) => {
        return isFault(error) && error.code === 'GATE_REFUSED' && error.context.reason === 'counter-used';
      });
    }));
});

describe('the Firmata jig at its start', () => {
  it('refuses a controller of another name', async () => {
    const rig = await startBoardRig({ controller: 'gate-2' });
    try {
      await assert.rejects(openFirmataJig(optionsOf(rig)), failsWith('JIG_REFUSED'));
    } finally {
      await rig.stop();
    }
  });

  it('says that there is no board, or waits for one when told to', async () => {
    const nowhere = {
      ...optionsOf({ serialPath: '/nowhere/board' } as BoardRig),
      deadlines: { openJigMs: 700 },
    };
    await assert.rejects(openFirmataJig(nowhere), failsWith('JIG_LINK_LOST'));
    await using jig = await openFirmataJig({ ...nowhere, waitForBoard: false });
    const events: JigEvent[] = [];
    jig.onEvent((event) => events.push(event));
    await until(() => events.length > 0);
    assert.equal(events[0]?.kind, 'lost');
    await assert.rejects(jig.report('n1'), failsWith('JIG_LINK_LOST'));
    assert.equal(events.length, 1, 'a loss is told once, not at each attempt');
  });

  it('names a nest that the configuration lacks', () =>
    onBench(async ({ jig }) => {
      await assert.rejects(jig.clamp('n9', 'open'), failsWith('CONFIG_INVALID'));
    }));
});
