/** Ends the process at a named point, as a power cut would: nothing is flushed, nobody is told. */
import type { Failpoint } from '../runtime/core/ports.ts';

export function openFailpoint(name: string | null, skip: number): Failpoint {
  let passed = 0;
  return (reached) => {
    if (reached !== name) return;
    passed += 1;
    if (passed > skip) process.kill(process.pid, 'SIGKILL');
  };
}
