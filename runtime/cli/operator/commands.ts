/** The commands about operators: who is in charge at a station, and who may be. */
import type { Command } from '../command.ts';
import {
  operatorApproveCommand,
  operatorDraftCommand,
  operatorListCommand,
  operatorRegisterCommand,
  operatorRemoveCommand,
} from './register.ts';
import { operatorShowCommand, operatorSignInCommand, operatorSignOutCommand } from './sign-in.ts';

export const operatorCommands: readonly Command[] = [
  operatorSignInCommand,
  operatorSignOutCommand,
  operatorShowCommand,
  operatorDraftCommand,
  operatorApproveCommand,
  operatorRegisterCommand,
  operatorRemoveCommand,
  operatorListCommand,
];
