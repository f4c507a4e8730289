/** The commands that ask the fleet database, in the order of the help. */
import type { Command } from '../command.ts';
import { fleetBlastRadiusCommand } from './blast-radius.ts';
import { fleetApproveCommand, fleetLifeCommand } from './life.ts';
import { fleetListCommand } from './list.ts';
import { fleetReconcileCommand } from './reconcile.ts';
import { fleetShowCommand } from './show.ts';
import { fleetStateCommand } from './state.ts';

export const fleetCommands: readonly Command[] = [
  fleetListCommand,
  fleetShowCommand,
  fleetStateCommand,
  fleetBlastRadiusCommand,
  fleetLifeCommand,
  fleetApproveCommand,
  fleetReconcileCommand,
];
