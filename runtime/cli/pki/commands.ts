/** The commands of certificates and revocation, in the order of the help. */
import type { Command } from '../command.ts';
import { pkiApproveCommand } from './approve.ts';
import { pkiDrillCommand } from './drill.ts';
import { pkiExpiryCommand } from './expiry.ts';
import { pkiRevokeCommand } from './revoke.ts';
import { rootCertifyCommand, rootCrlCommand, rootInitCommand } from './root.ts';
import { pkiVerifyCommand } from './verify.ts';

export const pkiCommands: readonly Command[] = [
  pkiRevokeCommand,
  pkiApproveCommand,
  pkiVerifyCommand,
  pkiExpiryCommand,
  pkiDrillCommand,
  rootInitCommand,
  rootCertifyCommand,
  rootCrlCommand,
];
