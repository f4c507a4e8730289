/** The commands that ask the fleet database, in the order of the help. */
import type { Command } from '../command.ts';
import { fleetBackupCommand, fleetRestoreCommand } from './backup.ts';
import { fleetBlastRadiusCommand } from './blast-radius.ts';
import { fleetExportCommand } from './export.ts';
import { fleetApproveCommand, fleetLifeCommand } from './life.ts';
import { fleetListCommand } from './list.ts';
import { fleetMayShipCommand } from './may-ship.ts';
import { fleetMigrateCommand } from './migrate.ts';
import { fleetProofCommand } from './proof.ts';
import { fleetReconcileCommand } from './reconcile.ts';
import { fleetShowCommand } from './show.ts';
import { fleetStateCommand } from './state.ts';

export const fleetCommands: readonly Command[] = [
  fleetListCommand,
  fleetShowCommand,
  fleetExportCommand,
  fleetBackupCommand,
  fleetRestoreCommand,
  fleetProofCommand,
  fleetMayShipCommand,
  fleetStateCommand,
  fleetBlastRadiusCommand,
  fleetLifeCommand,
  fleetApproveCommand,
  fleetMigrateCommand,
  fleetReconcileCommand,
];
