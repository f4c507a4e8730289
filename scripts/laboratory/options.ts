/** Options of `./scripts/line`. */
import { parseArgs } from 'node:util';

export interface LineArguments {
  readonly units: number;
  readonly stations: number;
  readonly gateways: number;
  readonly seed: string;
  readonly directory: string;
  readonly summary: string | null;
  readonly json: boolean;
}

export const HELP = `Usage: ./scripts/line [--units N] [--stations N] [--gateways N] [--seed S] [--dir DIR] [--summary FILE] [--json]

Runs a provisioning line on this machine: units go through it one after another, on real components.

  --units N       units in all (default 20)
  --stations N    stations side by side (default 1)
  --gateways N    gateways of the one token (default 1)
  --seed S        seed of the chips' randomness (default 1)
  --dir DIR       directory of the line; stays for inspection, and the next run continues from it (default var/line)
  --summary FILE  writes the summary as one JSON object
  --json          prints the summary as JSON on standard output

Ctrl-C stops at a safe point. Exit: 0 all units done, 1 fault, 2 usage, 3 a unit is held.`;

/** @throws Error with a sentence for the person who typed */
export function parseLineArguments(argv: readonly string[]): LineArguments | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      units: { type: 'string', default: '20' },
      stations: { type: 'string', default: '1' },
      gateways: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      dir: { type: 'string', default: 'var/line' },
      summary: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  });
  if (values.help) return 'help';
  return {
    units: wholeNumber('--units', values.units, 1_000_000),
    stations: wholeNumber('--stations', values.stations, 16),
    gateways: wholeNumber('--gateways', values.gateways, 8),
    seed: values.seed,
    directory: values.dir,
    summary: values.summary ?? null,
    json: values.json,
  };
}

function wholeNumber(option: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new Error(`${option} takes a whole number from 1 to ${max}`);
  return value;
}
