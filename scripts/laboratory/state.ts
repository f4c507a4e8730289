/** What a line remembers from run to run: the next unit and the next ticket. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface LineState {
  /** Index of the next fresh unit; a unit's EID follows from its index. */
  readonly nextUnit: number;
  readonly runs: number;
}

export function readState(path: string): LineState {
  if (!existsSync(path)) return { nextUnit: 1, runs: 0 };
  return JSON.parse(readFileSync(path, 'utf8')) as LineState;
}

export function writeState(path: string, state: LineState): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(state)}\n`);
  renameSync(`${path}.new`, path);
}
