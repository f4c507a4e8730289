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
import { pkiApproveCommand } from './pki/approve.ts';
import { pkiDrillCommand } from './pki/drill.ts';
import { pkiExpiryCommand } from './pki/expiry.ts';
import { pkiRevokeCommand } from './pki/revoke.ts';
import { rootCertifyCommand, rootCrlCommand, rootInitCommand } from './pki/root.ts';
import { pkiVerifyCommand } from './pki/verify.ts';
import { statusCommand } from './status/command.ts';
import { ticketApproveCommand } from './ticket/approve.ts';
import { ticketCloseCommand } from './ticket/close.ts';
import { ticketCountsCommand } from './ticket/counts.ts';
import { ticketDraftCommand } from './ticket/draft.ts';
import { ticketShowCommand } from './ticket/show.ts';
import { ticketSignCommand } from './ticket/sign.ts';
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
  ticketDraftCommand,
  ticketApproveCommand,
  ticketSignCommand,
  ticketShowCommand,
  ticketCountsCommand,
  ticketCloseCommand,
  pkiRevokeCommand,
  pkiApproveCommand,
  pkiVerifyCommand,
  pkiExpiryCommand,
  pkiDrillCommand,
  rootInitCommand,
  rootCertifyCommand,
  rootCrlCommand,
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
