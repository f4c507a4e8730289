/** The table of commands, in the order of the help. */
import { auditVerifyCommand } from './audit/command.ts';
import type { Command } from './command.ts';
import { enrolApproveCommand } from './enrol/approve.ts';
import { enrolCodeCommand, enrolCrlCommand } from './enrol/authority.ts';
import { enrolInstallCommand } from './enrol/install.ts';
import { enrolRenewCommand, enrolRequestCommand } from './enrol/request.ts';
import { enrolRevokeCommand, enrolRevokedCommand, enrolTellCommand } from './enrol/revoke.ts';
import { enrolSignCommand } from './enrol/sign.ts';
import { explainCommand } from './explain.ts';
import { fleetListCommand } from './fleet/list.ts';
import { fleetShowCommand } from './fleet/show.ts';
import { helpCommand } from './help.ts';
import { journalCommand } from './journal/command.ts';
import { statusCommand } from './status/command.ts';
import { transcriptShowCommand } from './transcript/show.ts';
import { transcriptVerifyCommand } from './transcript/verify.ts';

export const commands: readonly Command[] = [
  statusCommand,
  journalCommand,
  explainCommand,
  fleetListCommand,
  fleetShowCommand,
  auditVerifyCommand,
  transcriptShowCommand,
  transcriptVerifyCommand,
  enrolRequestCommand,
  enrolCodeCommand,
  enrolApproveCommand,
  enrolSignCommand,
  enrolInstallCommand,
  enrolRenewCommand,
  enrolRevokeCommand,
  enrolRevokedCommand,
  enrolTellCommand,
  enrolCrlCommand,
  helpCommand(() => commands),
];
