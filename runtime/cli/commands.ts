/** The table of commands, in the order of the help. */
import { auditVerifyCommand } from './audit/command.ts';
import { ceremonyApproveCommand } from './ceremony/approve.ts';
import { ceremonyComponentCommand } from './ceremony/component.ts';
import { ceremonyLinkCommand } from './ceremony/link.ts';
import { ceremonyOfficerCommand } from './ceremony/officer.ts';
import { ceremonyPlanCommand } from './ceremony/plan.ts';
import { ceremonyRunCommand } from './ceremony/run.ts';
import { ceremonyVerifyCommand } from './ceremony/verify.ts';
import { ceremonyWitnessCommand } from './ceremony/witness.ts';
import type { Command } from './command.ts';
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
  ceremonyOfficerCommand,
  ceremonyComponentCommand,
  ceremonyPlanCommand,
  ceremonyApproveCommand,
  ceremonyRunCommand,
  ceremonyVerifyCommand,
  ceremonyWitnessCommand,
  ceremonyLinkCommand,
  helpCommand(() => commands),
];
