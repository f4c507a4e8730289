/** `holdfast ceremony verify`: judges a record offline, from its bytes and the keys of the officers. */
import { verifyRecord } from '../../core/ceremony/verification.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet } from '../command.ts';
import { jwsIn, operandOf, trustedIn, trustedOption } from './given.ts';
import { recordLines } from './lines.ts';

export const ceremonyVerifyCommand: Command = {
  name: 'ceremony verify',
  summary: 'checks a ceremony record: signature, approvals, plan, and every attribute against the key policy',
  operands: 'RECORD',
  operandsMax: 1,
  options: { ...trustedOption },
  notes: [
    'No token and no network is needed. The keys of the officers come from you, never from the record.',
  ],
  examples: ['holdfast ceremony verify masters/record.jws --trusted officers.json'],
  run: async (given, means) => {
    const jws = jwsIn(operandOf(given, 'a RECORD'), means);
    const verified = verifyRecord(jws, trustedIn(given, means), means.crypto);
    if (isSet(given, 'json'))
      means.print(JSON.stringify({ verified: true, checks: verified.checks, record: verified.record }));
    else for (const line of recordLines(verified, jws, means)) means.print(line);
    return ExitCode.done;
  },
};
