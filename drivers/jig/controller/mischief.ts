/** What can be wrong with a board, its cable or its firmware, on request and for a bounded time. */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import type { Clock } from '../../../runtime/core/ports.ts';

export type Direction = 'to-host' | 'to-board';

/** Times in milliseconds, counts in bytes or frames. */
export type Misbehaviour =
  /** Hears and acts, and says nothing. */
  | { readonly kind: 'mute'; readonly forMs: number }
  /** The processor hangs: what arrives is lost. The gate's own time-outs go on, as in a one-shot beside it. */
  | { readonly kind: 'halt'; readonly forMs: number }
  | { readonly kind: 'drop' | 'corrupt'; readonly direction: Direction; readonly count: number }
  | { readonly kind: 'hang-up'; readonly forMs: number }
  | { readonly kind: 'reset'; readonly announced: boolean; readonly bootMs: number }
  /** Every answer comes `byMs` late. */
  | { readonly kind: 'slow'; readonly byMs: number; readonly forMs: number }
  /** The next `count` pin states show the wrong level. */
  | { readonly kind: 'wrong-pin-state'; readonly count: number };

export interface Mischief {
  /** Bytes of the board on their way to the host, one frame per call. */
  send(frame: Bytes): void;
  /** What the board hears of the bytes of the host. */
  receive(bytes: Bytes): Bytes;
  /** Neither hears nor speaks: a boot. */
  deaf(forMs: number): void;
  start(misbehaviour: Exclude<Misbehaviour, { kind: 'reset' | 'hang-up' }>): void;
}

const NOTHING: Bytes = new Uint8Array();

export function createMischief(clock: Clock, out: (bytes: Bytes) => void): Mischief {
  let muteUntil = 0;
  let deafUntil = 0;
  let slowUntil = 0;
  let slowByMs = 0;
  let wrongStates = 0;
  const drop = { 'to-host': 0, 'to-board': 0 };
  const corrupt = { 'to-host': 0, 'to-board': 0 };

  const damaged = (bytes: Bytes, way: 'to-host' | 'to-board'): Bytes => {
    const dropped = Math.min(drop[way], bytes.length);
    drop[way] -= dropped;
    const rest = Uint8Array.from(bytes.subarray(dropped));
    for (let i = 0; i < rest.length && corrupt[way] > 0; i++, corrupt[way]--) rest[i] = (rest[i] ?? 0) ^ 0x15;
    return rest;
  };
  const falsified = (frame: Bytes): Bytes => {
    if (wrongStates === 0 || frame[1] !== 0x6e) return frame;
    wrongStates -= 1;
    const wrong = Uint8Array.from(frame);
    wrong[4] = (wrong[4] ?? 0) ^ 1;
    return wrong;
  };
  const deaf = (forMs: number): void => {
    deafUntil = muteUntil = clock.monotonicMs() + forMs;
  };
  return {
    send: (frame) => {
      const nowMs = clock.monotonicMs();
      if (nowMs < muteUntil) return;
      const bytes = damaged(falsified(frame), 'to-host');
      if (nowMs < slowUntil) clock.after(slowByMs, () => out(bytes));
      else out(bytes);
    },
    receive: (bytes) => (clock.monotonicMs() < deafUntil ? NOTHING : damaged(bytes, 'to-board')),
    deaf,
    start: (misbehaviour) => {
      const nowMs = clock.monotonicMs();
      switch (misbehaviour.kind) {
        case 'mute':
          muteUntil = nowMs + misbehaviour.forMs;
          return;
        case 'halt':
          deaf(misbehaviour.forMs);
          return;
        case 'slow':
          slowUntil = nowMs + misbehaviour.forMs;
          slowByMs = misbehaviour.byMs;
          return;
        case 'wrong-pin-state':
          wrongStates = misbehaviour.count;
          return;
        case 'drop':
          drop[misbehaviour.direction] = misbehaviour.count;
          return;
        case 'corrupt':
          corrupt[misbehaviour.direction] = misbehaviour.count;
      }
    },
  };
}
