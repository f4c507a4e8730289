/** The commands of stations’ identities, in the order of the help. */
import type { Command } from '../command.ts';
import { enrolAdmitCommand } from './admit.ts';
import { enrolApproveCommand } from './approve.ts';
import { enrolCodeCommand, enrolCrlCommand } from './authority.ts';
import { enrolInstallCommand } from './install.ts';
import { enrolOfficeCommand } from './office.ts';
import { enrolRenewCommand, enrolRequestCommand } from './request.ts';
import { enrolRevokeCommand, enrolRevokedCommand, enrolTellCommand } from './revoke.ts';
import { enrolSignCommand } from './sign.ts';

export const enrolCommands: readonly Command[] = [
  enrolRequestCommand,
  enrolCodeCommand,
  enrolApproveCommand,
  enrolSignCommand,
  enrolAdmitCommand,
  enrolInstallCommand,
  enrolRenewCommand,
  enrolOfficeCommand,
  enrolRevokeCommand,
  enrolRevokedCommand,
  enrolTellCommand,
  enrolCrlCommand,
];
