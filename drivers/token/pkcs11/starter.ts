/** When a token process is started: one at a time, again after a failure, never again after a refusal. */
import { asFault, type Fault } from '../../../runtime/core/faults.ts';
import type { TokenDeadlines } from './process.ts';

export interface Starter {
  /** Starts one more process unless one is being started; a failure is reported and, with no other, tried again. */
  startNow(): void;
  /** The same after a wait, which doubles each time. */
  startLater(): void;
  /** A process serves: the next wait is a short one. */
  calm(): void;
  /** After a failed start the next one waits, also while another process serves. */
  isQuiet(): boolean;
  /** Why no further process may be started. */
  refusal(): Fault | null;
  /** Starts nothing more; settles when a start that is under way has ended. */
  end(): Promise<void>;
}

export interface StarterOptions {
  start(): Promise<void>;
  /** Whether some process takes new work. */
  isServed(): boolean;
  readonly deadlines: TokenDeadlines;
  onFault(fault: Fault): void;
}

export function createStarter({ start, isServed, deadlines, onFault }: StarterOptions): Starter {
  let refusal: Fault | null = null;
  let ended = false;
  let quietUntilMs = 0;
  /** The start of a process that is under way. */
  let starting: Promise<void> | null = null;
  let waitMs = deadlines.respawnMs;
  let respawn: NodeJS.Timeout | undefined;

  const startNow = (): void => {
    if (ended || starting !== null || refusal !== null) return;
    starting = start()
      .catch((error: unknown) => {
        const fault = asFault(error, 'HSM_FAILED');
        if (isFinal(fault)) refusal = fault;
        quietUntilMs = performance.now() + deadlines.respawnMsMax;
        onFault(fault);
      })
      .then(() => {
        starting = null;
        if (!isServed()) startLater();
      });
  };
  const startLater = (): void => {
    if (ended || refusal !== null) return;
    clearTimeout(respawn);
    respawn = setTimeout(startNow, waitMs);
    waitMs = Math.min(2 * waitMs, deadlines.respawnMsMax);
  };
  return {
    startNow,
    startLater,
    calm: () => {
      waitMs = deadlines.respawnMs;
    },
    isQuiet: () => performance.now() < quietUntilMs,
    refusal: () => refusal,
    end: async () => {
      ended = true;
      clearTimeout(respawn);
      await starting;
    },
  };
}

/** Faults after which another try could lock the token, or use a changed key. */
function isFinal(fault: Fault): boolean {
  return fault.code === 'TOKEN_PIN_WRONG' || fault.code === 'KEY_POLICY_BROKEN';
}
