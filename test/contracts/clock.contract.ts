import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Clock } from '../../runtime/core/ports.ts';

export interface ClockUnderTest {
  readonly clock: Clock;
  /** Lets so much time pass. */
  pass(ms: number): Promise<void>;
}

/** What every clock must do. */
export function clockContract(open: () => ClockUnderTest): void {
  it('calls an action once, not before its time', async () => {
    const { clock, pass } = open();
    const begun = clock.monotonicMs();
    const calls: number[] = [];
    clock.after(20, () => calls.push(clock.monotonicMs() - begun));
    await pass(60);
    assert.equal(calls.length, 1);
    assert.ok((calls[0] ?? 0) >= 19, `after ${calls[0]} ms`);
  });

  it('calls in the order of the times, and of the making where they are equal', async () => {
    const { clock, pass } = open();
    const order: string[] = [];
    clock.after(30, () => order.push('later'));
    clock.after(5, () => order.push('first'));
    clock.after(5, () => order.push('second'));
    await pass(80);
    assert.deepEqual(order, ['first', 'second', 'later']);
  });

  it('does not call what was cancelled', async () => {
    const { clock, pass } = open();
    let called = false;
    const cancel = clock.after(10, () => {
      called = true;
    });
    cancel();
    cancel();
    await pass(40);
    assert.equal(called, false);
  });

  it('tells whole milliseconds since 1970, and a time that never runs backwards', async () => {
    const { clock, pass } = open();
    const [wall, steady] = [clock.now(), clock.monotonicMs()];
    assert.ok(Number.isInteger(wall) && wall > Date.UTC(2020, 0));
    await pass(15);
    assert.ok(clock.monotonicMs() - steady >= 14);
    assert.ok(clock.now() >= wall);
  });
}
