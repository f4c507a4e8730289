/** The commands that ask the fleet database, in the order of the help. */
import type { Command } from '../command.ts';
import { fleetListCommand } from './list.ts';
import { fleetMayShipCommand } from './may-ship.ts';
import { fleetMigrateCommand } from './migrate.ts';
import { fleetProofCommand } from './proof.ts';
import { fleetShowCommand } from './show.ts';

export const fleetCommands: readonly Command[] = [
  fleetListCommand,
  fleetShowCommand,
  fleetProofCommand,
  fleetMayShipCommand,
  fleetMigrateCommand,
];
