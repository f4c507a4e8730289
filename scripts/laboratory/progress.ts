/** What a person sees while a line runs: on a terminal one line that moves, otherwise one line per unit. */
import { styleText } from 'node:util';
import type { UnitTime } from './tally.ts';

export interface Progress {
  /** What is being started. */
  starting(what: string): void;
  /** Step of a station's nest, and why it is held. */
  step(station: string, step: string, reason: string | null): void;
  unit(outcome: {
    readonly station: string;
    readonly unit: number;
    readonly lane: string;
    readonly time: UnitTime | null;
    readonly done: number;
  }): void;
  note(text: string): void;
  end(): void;
}

export function createProgress(options: { readonly units: number; readonly quiet: boolean }): Progress {
  const terminal = process.stderr.isTTY && !options.quiet;
  const steps = new Map<string, string>();
  const begun = performance.now();
  let done = 0;
  const print = (text: string): void => {
    if (!options.quiet) process.stderr.write(terminal ? `\r\u001b[K${text}\n` : `${text}\n`);
  };
  const draw = (): void => {
    if (!terminal) return;
    const seconds = (performance.now() - begun) / 1000;
    const bar = '█'.repeat(Math.round((20 * done) / options.units)).padEnd(20, '░');
    const now = [...steps].map(([station, step]) => `${station} ${step}`).join('  ');
    const rate = done === 0 ? '' : ` ${(done / seconds).toFixed(1)} units/s`;
    process.stderr.write(
      `\r\u001b[K${bar} ${done}/${options.units}${rate}  ${now}`.slice(
        0,
        (process.stderr.columns ?? 100) + 4,
      ),
    );
  };
  return {
    starting: (what) => print(`starting ${what} …`),
    step: (station, step, reason) => {
      const held = reason === null ? step : `${step}: ${reason}`;
      if (reason !== null && steps.get(station) !== held)
        print(styleText('yellow', `${station} holds: ${reason}`));
      steps.set(station, held);
      draw();
    },
    unit: ({ station, unit, lane, time, done: count }) => {
      done = count;
      const took = time === null ? '' : `${time.unitMs} ms, of which ours ${time.overheadMs.toFixed(1)} ms`;
      print(`${station}  unit ${unit}  ${lane === 'good' ? 'released' : 'rejected'}  ${took}`);
      draw();
    },
    note: print,
    end: () => {
      if (terminal) process.stderr.write('\r\u001b[K');
    },
  };
}
