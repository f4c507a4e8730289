/** The commands that check the fleet log, in the order of the help. */
import type { Command } from '../command.ts';
import { auditVerifyCommand } from './command.ts';
import { auditExportCommand } from './export.ts';
import { timestampKeepCommand, timestampRequestCommand } from './timestamp.ts';

export const auditCommands: readonly Command[] = [
  auditVerifyCommand,
  auditExportCommand,
  timestampRequestCommand,
  timestampKeepCommand,
];
