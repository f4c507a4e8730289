/** `holdfast operator sign-in`, `sign-out` and `show`: on the fixture's board, who is in charge. */
import {
  type ShownShift,
  showShiftInstruction,
  signInInstruction,
  signOutInstruction,
} from '../../core/messages/shift.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, isSet } from '../command.ts';
import type { Means } from '../means.ts';
import { socketOf, socketOptions } from '../program-place.ts';
import { badgeIn, badgeOptions } from './badge.ts';

export const operatorSignInCommand: Command = {
  name: 'operator sign-in',
  summary: 'an operator is in charge at this station from here on, and whoever was before no longer',
  options: { ...badgeOptions, ...socketOptions },
  notes: [
    'Used on the board of the station. What is typed with the command others on that board may see: a reader is better.',
    'Needs the backend. The shift goes on without it, until a sign-out, its end, or another sign-in.',
  ],
  examples: [
    'holdfast operator sign-in --reader --dir /etc/holdfast-station',
    'holdfast operator sign-in --badge 0004711',
  ],
  run: async (given, means) => {
    const badge = await badgeIn(given, means);
    const socket = socketOf('station', given, means);
    return show(await means.instruct(socket, signInInstruction, { badge }), given, means);
  },
};

export const operatorSignOutCommand: Command = {
  name: 'operator sign-out',
  summary: 'ends the shift; the named authority is in charge from here on',
  options: { ...socketOptions },
  examples: ['holdfast operator sign-out'],
  run: async (given, means) =>
    show(await means.instruct(socketOf('station', given, means), signOutInstruction, {}), given, means),
};

export const operatorShowCommand: Command = {
  name: 'operator show',
  summary: 'who is in charge at this station, and until when',
  options: { ...socketOptions },
  examples: ['holdfast operator show'],
  run: async (given, means) =>
    show(await means.instruct(socketOf('station', given, means), showShiftInstruction, {}), given, means),
};

function show(shift: ShownShift, given: Arguments, means: Means): number {
  if (isSet(given, 'json')) means.print(JSON.stringify(shift));
  else means.print(textOf(shift));
  return ExitCode.done;
}

/** `Ada L. (op-1f3c…) until 2026-11-22T20:00:00.000Z`. */
function textOf({ inCharge, name, until }: ShownShift): string {
  if (until === null) return `${inCharge}; nobody is signed in`;
  return `${name === null ? inCharge : `${name} (${inCharge})`} until ${until}`;
}
