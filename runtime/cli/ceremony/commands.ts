/** The commands of the HSM room, in the order of the help. */
import type { Command } from '../command.ts';
import { ceremonyApproveCommand } from './approve.ts';
import { ceremonyComponentCommand } from './component.ts';
import { ceremonyLinkCommand } from './link.ts';
import { ceremonyOfficerCommand } from './officer.ts';
import { ceremonyPlanCommand } from './plan.ts';
import { ceremonyReceiveCommand } from './receive.ts';
import { ceremonyRecipientCommand } from './recipient.ts';
import { ceremonyRunCommand } from './run.ts';
import { ceremonyVerifyCommand } from './verify.ts';
import { ceremonyWitnessCommand } from './witness.ts';

export const ceremonyCommands: readonly Command[] = [
  ceremonyOfficerCommand,
  ceremonyComponentCommand,
  ceremonyRecipientCommand,
  ceremonyPlanCommand,
  ceremonyApproveCommand,
  ceremonyRunCommand,
  ceremonyVerifyCommand,
  ceremonyWitnessCommand,
  ceremonyLinkCommand,
  ceremonyReceiveCommand,
];
