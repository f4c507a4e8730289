/** Builds a checker of the model with Debian's spin and the C compiler, runs it, and reads what it says. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { maskOf, type Rule } from './rules.ts';

const SOURCES = ['gate.pml', 'labels.pml', 'rules.pml'];
const BUILD_MS = 120_000;

export interface CheckerOptions {
  readonly directory: string;
  readonly units: number;
  readonly nests: number;
  /** Checks that every unit leaves in the end; else the assertions. */
  readonly live?: boolean;
  /** For `live`: a reservation asked for before may come again. */
  readonly replay?: boolean;
  /** Breadth first finds the shortest trace, depth first needs less memory. */
  readonly shortest?: boolean;
  /** For long runs: compiles longer, checks faster. */
  readonly optimized?: boolean;
}

export interface RunOptions {
  readonly faults: number;
  readonly without?: readonly Rule[];
  readonly timeoutMs?: number;
}

export interface Outcome {
  /** Null when nothing was found; `other` for what is no property of the model. */
  readonly violated: number | 'live' | 'other' | null;
  /** Steps of the counter-example. */
  readonly steps: number | null;
  readonly complete: boolean;
  readonly states: number;
  readonly transitions: number;
  readonly memoryMb: number;
  readonly seconds: number;
  /** Statements that no run reaches, other than the end of a process. */
  readonly unreached: readonly string[];
}

/** Why the model cannot be checked here; null when it can. */
export function missingTool(): string | null {
  const missing = ['spin', 'gcc'].filter(
    (tool) => spawnSync(tool, [tool === 'spin' ? '-V' : '--version']).error !== undefined,
  );
  return missing.length === 0 ? null : `${missing.join(' and ')} not installed: see scripts/prepare`;
}

/** @returns the checker: one program for every set of rules and number of faults */
export function buildChecker(options: CheckerOptions): (run: RunOptions) => Outcome {
  const { units, nests, live = false, replay = false, shortest = false, optimized = false } = options;
  const directory = join(options.directory, `${units}-${nests}-${live}-${replay}-${shortest}`);
  mkdirSync(directory, { recursive: true });
  for (const name of SOURCES) copyFileSync(join('test/model', name), join(directory, name));
  const where = { cwd: directory, timeout: BUILD_MS, stdio: 'pipe' } as const;
  const chosen = [`-DNUNIT=${units}`, `-DNNEST=${nests}`, '-DCHOSEN'];
  const wanted = [...(live ? ['-DLIVE'] : []), ...(replay ? ['-DREPLAY'] : [])];
  execFileSync('spin', [...chosen, ...wanted, '-a', 'gate.pml'], where);
  const search = live
    ? ['-DNFAIR=4', '-DCOLLAPSE']
    : ['-DSAFETY', ...(shortest ? ['-DBFS'] : ['-DCOLLAPSE'])];
  execFileSync(
    'gcc',
    [optimized ? '-O2' : '-O0', '-w', '-DNOREDUCE', '-DVECTORSZ=2048', ...search, '-o', 'pan', 'pan.c'],
    where,
  );
  return ({ faults, without = [], timeoutMs = BUILD_MS }) => {
    const { stdout, error } = spawnSync('./pan', live ? ['-a', '-f', '-m2000000'] : ['-m2000000'], {
      cwd: directory,
      timeout: timeoutMs,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      env: { REMOVED: String(maskOf(without)), NFAULT: String(faults) },
    });
    if (error !== undefined) throw error;
    return readOutcome(stdout);
  };
}

/** @param text what a checker printed */
export function readOutcome(text: string): Outcome {
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  const steps = number(/pan:1: .*\(at depth (\d+)\)/);
  return {
    violated: violatedIn(text),
    steps: Number.isNaN(steps) ? null : steps,
    complete: !/Search not completed|max search depth too small|out of memory/.test(text),
    states: number(/(\d+) states, stored/),
    transitions: number(/(\d+) transitions/),
    memoryMb: number(/([\d.]+)\s+total actual memory usage/),
    seconds: number(/elapsed time ([\d.e+-]+) seconds/),
    unreached: [...text.matchAll(/^\t\S+:(\d+), state \d+, "(.*)"$/gm)]
      .filter(([, , what]) => what !== '-end-')
      .map(([, line, what]) => `${line}: ${what}`),
  };
}

function violatedIn(text: string): Outcome['violated'] {
  if (/errors: 0$/m.test(text)) return null;
  if (/pan:1: acceptance cycle/.test(text)) return 'live';
  const property = /pan:1: assertion violated .*\(900\+(\d)\)==0/.exec(text)?.[1];
  return property === undefined ? 'other' : Number(property);
}
