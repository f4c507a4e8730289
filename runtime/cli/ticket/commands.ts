/** The commands of production orders, in the order of the help. */
import type { Command } from '../command.ts';
import { ticketApproveCommand } from './approve.ts';
import { ticketCloseCommand } from './close.ts';
import { ticketCountsCommand } from './counts.ts';
import { ticketDraftCommand } from './draft.ts';
import { ticketRefusalsCommand } from './refusals.ts';
import { ticketShowCommand } from './show.ts';
import { ticketSignCommand } from './sign.ts';

export const ticketCommands: readonly Command[] = [
  ticketDraftCommand,
  ticketApproveCommand,
  ticketSignCommand,
  ticketShowCommand,
  ticketCountsCommand,
  ticketCloseCommand,
  ticketRefusalsCommand,
];
