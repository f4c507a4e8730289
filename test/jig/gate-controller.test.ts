import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import {
  ARRIVALS_PER_BOOT,
  BLANK_MEMORY,
  type ControllerAction,
  type ControllerEvent,
  type ControllerMemory,
  type ControllerSelf,
  type ControllerState,
  type Sensed,
  type Sensor,
  sensors,
  step,
  tagOf,
  unpowered,
} from '../../drivers/jig/controller/gate-controller.ts';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import { cmac } from '../../runtime/core/crypto/cmac.ts';
import {
  type ControllerReport,
  type Lane,
  lanes,
  type Release,
  reportBytes,
} from '../../runtime/core/gate/release.ts';

const KEY = fromHex('000102030405060708090a0b0c0d0e0f');
const self = {
  controller: 'gate-1',
  nest: 'n1',
  cipher: (block: Uint8Array) => nodeCrypto.aesEncryptBlock(KEY, block),
} satisfies ControllerSelf;
const EMPTY: Sensed = {
  'clamp-closed': false,
  'clamp-open': true,
  'gate-good-closed': true,
  'gate-reject-closed': true,
  'exit-good': false,
  'exit-reject': false,
  presence: false,
};

/** The machine with its past: what it said, and which gate it drives. */
interface Run {
  state: ControllerState;
  actions: ControllerAction[];
  gate: Lane | null;
}

function boot(memory: ControllerMemory = BLANK_MEMORY, sensed: Sensed = EMPTY): Run {
  const run: Run = { state: unpowered(memory), actions: [], gate: null };
  feed(run, { kind: 'started', sensed });
  return run;
}

function feed(run: Run, ...events: readonly ControllerEvent[]): readonly ControllerAction[] {
  const before = run.actions.length;
  for (const event of events) {
    const { state, actions } = step(self, run.state, event);
    run.state = state;
    run.actions.push(...actions);
    for (const action of actions) if (action.kind === 'drive') run.gate = action.lane;
  }
  return run.actions.slice(before);
}

function sensed(sensor: Sensor, active: boolean): ControllerEvent {
  return { kind: 'sensed', sensor, active };
}

function reportsOf(actions: readonly ControllerAction[]): readonly ControllerReport[] {
  return actions.flatMap((action) => (action.kind === 'report' ? [action.report] : []));
}

function ask(about: Partial<Release> & Pick<Release, 'arrival' | 'counter'>): ControllerEvent {
  const blank = { controller: 'gate-1', nest: 'n1', lane: 'good', epoch: 1, tag: '' } as const;
  const release = { ...blank, operation: '01930000-0000-7000-8000-00000000abcd', ...about };
  return { kind: 'open-asked', release: { ...release, tag: about.tag ?? tagOf(self.cipher, release) } };
}

function present(): Run {
  const run = boot();
  feed(run, sensed('presence', true));
  return run;
}

describe('the gate controller', () => {
  it('never obeys a release without a tag, and without a key obeys nothing but that', () => {
    const run = present();
    const release = { controller: 'gate-1', nest: 'n1', lane: 'good', epoch: 1, counter: 1 } as const;
    const about = {
      ...release,
      operation: '01930000-0000-7000-8000-00000000abcd',
      arrival: run.state.arrival,
    };
    const asked = (tag: string | null): ControllerEvent => ({
      kind: 'open-asked',
      release: { ...about, tag },
    });
    assert.equal(reportsOf(feed(run, asked(null)))[0]?.reason, 'tag-wrong');
    assert.equal(run.gate, null);
    const plain = { ...self, cipher: null };
    const refused = step(plain, run.state, asked(tagOf(self.cipher, about)));
    assert.equal(reportsOf(refused.actions)[0]?.reason, 'tag-wrong');
    const opened = step(plain, run.state, asked(null));
    assert.equal(opened.state.window, 'good');
    assert.equal(reportsOf(opened.actions)[0]?.mac, null);
  });

  it('remembers the raised boot counter before it says anything', () => {
    const run = boot({ ...BLANK_MEMORY, boots: 6 });
    assert.deepEqual(run.actions[0], { kind: 'remember', memory: { ...BLANK_MEMORY, boots: 7 } });
    feed(run, sensed('presence', true));
    assert.equal(run.state.arrival, 7 * ARRIVALS_PER_BOOT + 1);
  });

  it('names a unit that it finds at boot, and says that the gate was shut by a reset', () => {
    const run = boot(BLANK_MEMORY, { ...EMPTY, presence: true });
    assert.deepEqual(
      reportsOf(run.actions).map(({ kind, reason }) => [kind, reason]),
      [
        ['closed', 'reset'],
        ['arrived', 'none'],
      ],
    );
  });

  it('raises the boot counter, durably and first, when the running numbers are spent', () => {
    const run = boot();
    run.state = { ...run.state, running: ARRIVALS_PER_BOOT - 1 };
    const actions = feed(run, sensed('presence', true));
    assert.deepEqual(
      actions.map(({ kind }) => kind),
      ['remember', 'report'],
    );
    assert.equal(run.state.arrival, 2 * ARRIVALS_PER_BOOT + 1);
  });

  it('remembers the counter before the gate moves', () => {
    const run = present();
    const actions = feed(run, ask({ arrival: run.state.arrival, counter: 4, lane: 'reject' }));
    assert.deepEqual(
      actions.map(({ kind }) => kind),
      ['remember', 'drive', 'watch', 'report'],
    );
    assert.equal(run.gate, 'reject');
  });

  it('takes only the exit of the open lane for a departure, and shuts before it reports', () => {
    const run = present();
    const { arrival } = run.state;
    feed(run, ask({ arrival, counter: 4 }));
    assert.deepEqual(feed(run, sensed('exit-reject', true)), []);
    const actions = feed(run, sensed('exit-good', true));
    assert.equal(actions[0]?.kind, 'drive');
    const [left] = reportsOf(actions);
    assert.deepEqual([left?.kind, left?.left], ['left', { arrival, counter: 4, lane: 'good' }]);
    assert.deepEqual(reportsOf(feed(run, sensed('presence', false))), []);
  });

  it('gives a unit that tripped the exit and stayed a new name', () => {
    const run = present();
    const first = run.state.arrival;
    feed(run, ask({ arrival: first, counter: 4 }), sensed('exit-good', true), sensed('exit-good', false));
    assert.equal(run.state.arrival, 0);
    const [arrived] = reportsOf(feed(run, { kind: 'timed-out' }));
    assert.equal(arrived?.kind, 'arrived');
    assert.ok(run.state.arrival > first);
  });

  it('keeps the arrival when the host is lost behind a closed gate', () => {
    const run = present();
    const before = run.state;
    assert.deepEqual(feed(run, { kind: 'host-lost' }), []);
    assert.equal(run.state, before);
  });

  it('refuses while a gate has not reached its closed switch, or an exit is covered', () => {
    for (const [sensor, active] of [
      ['gate-good-closed', false],
      ['gate-reject-closed', false],
      ['exit-reject', true],
    ] as const) {
      const run = present();
      feed(run, sensed(sensor, active));
      const [report] = reportsOf(feed(run, ask({ arrival: run.state.arrival, counter: 1 })));
      assert.deepEqual([report?.kind, report?.reason], ['refused', 'gate-open'], sensor);
    }
  });

  it('believes the clamp open only when one switch says so and the other does not deny it', () => {
    for (const [closed, open] of [
      [true, true],
      [false, false],
      [true, false],
    ] as const) {
      const run = present();
      feed(run, sensed('clamp-closed', closed), sensed('clamp-open', open));
      const [report] = reportsOf(feed(run, ask({ arrival: run.state.arrival, counter: 1 })));
      assert.equal(report?.reason, 'clamped');
    }
  });

  it('obeys a release once while the gate is still open', () => {
    const run = present();
    const release = ask({ arrival: run.state.arrival, counter: 1 });
    feed(run, release);
    const [again] = reportsOf(feed(run, release));
    assert.deepEqual([again?.kind, again?.reason], ['refused', 'counter-used']);
    assert.equal(run.gate, 'good');
  });

  it('never repeats an arrival, never obeys a counter twice, and opens only for the unit present', () => {
    fc.assert(
      fc.property(fc.array(eventPlan, { maxLength: 120 }), (plans) => {
        const run = boot();
        const names = new Set<number>();
        let obeyed = 0;
        for (const plan of plans) {
          const before = run.state;
          const actions = feed(run, plan(run));
          for (const report of reportsOf(actions)) {
            assert.equal(report.mac, toHex(cmac(self.cipher, reportBytes(report))));
            if (report.kind !== 'arrived') continue;
            assert.ok(!names.has(report.arrival) && report.arrival !== 0);
            names.add(report.arrival);
          }
          if (before.window === null && run.state.window !== null) {
            assert.ok(run.state.memory.obeyed > obeyed && before.sensed.presence && before.arrival !== 0);
            obeyed = run.state.memory.obeyed;
          }
          assert.equal(run.gate, run.state.window);
          if (!run.state.sensed.presence) assert.deepEqual([run.gate, run.state.arrival], [null, 0]);
          if (before.window !== null && run.state.window === null)
            assert.notEqual(run.state.arrival, before.arrival);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Anything that can happen, with releases that are sometimes right. */
const eventPlan: fc.Arbitrary<(run: Run) => ControllerEvent> = fc.oneof(
  fc.tuple(fc.constantFrom(...sensors), fc.boolean()).map(
    ([sensor, active]) =>
      () =>
        sensed(sensor, active),
  ),
  fc.boolean().map((active) => () => sensed('presence', active)),
  fc.constantFrom('host-lost', 'timed-out', 'status-asked').map((kind) => () => ({ kind })),
  fc.constant((run: Run) => ({ kind: 'started', sensed: run.state.sensed }) as const),
  fc
    .record({
      back: fc.nat({ max: 2 }),
      counter: fc.integer({ min: 1, max: 60 }),
      lane: fc.constantFrom(...lanes),
      forged: fc.boolean(),
    })
    .map(({ back, counter, lane, forged }) => (run: Run) => {
      const arrival = Math.max(0, run.state.arrival - back);
      return ask({ arrival, counter, lane, ...(forged ? { tag: '00'.repeat(16) } : {}) });
    }),
);
