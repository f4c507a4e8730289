/** The table of commands, in the order of the help. */
import { auditVerifyCommand } from './audit/command.ts';
import type { Command } from './command.ts';
import { explainCommand } from './explain.ts';
import { fleetListCommand } from './fleet/list.ts';
import { fleetShowCommand } from './fleet/show.ts';
import { helpCommand } from './help.ts';
import { journalCommand } from './journal/command.ts';
import { pkiApproveCommand } from './pki/approve.ts';
import { pkiDrillCommand } from './pki/drill.ts';
import { pkiExpiryCommand } from './pki/expiry.ts';
import { pkiRevokeCommand } from './pki/revoke.ts';
import { rootCertifyCommand, rootCrlCommand, rootInitCommand } from './pki/root.ts';
import { pkiVerifyCommand } from './pki/verify.ts';
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
  pkiRevokeCommand,
  pkiApproveCommand,
  pkiVerifyCommand,
  pkiExpiryCommand,
  pkiDrillCommand,
  rootInitCommand,
  rootCertifyCommand,
  rootCrlCommand,
  helpCommand(() => commands),
];
