/** What the command line tells the station on its own board: who signs in, and who signs out. */
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { showShiftInstruction, signInInstruction, signOutInstruction } from '../../core/messages/shift.ts';
import type { Shifts } from '../shifts.ts';

export function shiftInstructions(shifts: Shifts): readonly InstructionHandler[] {
  return [
    instructionHandler(signInInstruction, ({ badge }) => shifts.signIn(badge)),
    instructionHandler(signOutInstruction, () => shifts.signOut()),
    instructionHandler(showShiftInstruction, async () => shifts.shown()),
  ];
}
