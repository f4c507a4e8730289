/** `holdfast transcript verify`: whether the silicon said what the receipt says it did. */
import { RECORDED_MAX } from '../../core/card/scp03-audit.ts';
import type { TranscriptFile } from '../../core/card/transcript-form.ts';
import { type FoundSession, sessionsOf } from '../../core/card/transcript-sessions.ts';
import { Fault } from '../../core/faults.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, isSet, textOf, usage } from '../command.ts';
import type { Means } from '../means.ts';
import { columns } from '../screen.ts';
import { showFault } from '../show-fault.ts';
import { type Check, checkTranscript } from './checks.ts';
import { keptOptions, keptTranscript, readTranscript } from './kept.ts';
import { gatewayIn, lineOf, lineOption, trustOf } from './place.ts';
import { LIMITS, recompute, type SessionCheck } from './recompute.ts';

export const transcriptVerifyCommand: Command = {
  name: 'transcript verify',
  summary: 'checks what a chip and the gateway said: hashes, signatures, steps; at the gateway every MAC',
  operands: '[FILE]',
  operandsMax: 1,
  options: {
    ...keptOptions,
    ...lineOption,
    'gateway-key': {
      type: 'string',
      value: 'HEX',
      help: 'P-256 point that signs confirmations (default: as station.json in LINE trusts)',
    },
    issuer: {
      type: 'string',
      value: 'NAME=FILE',
      help: 'intermediate and its certificate, PEM (default: as gateway.json in LINE says)',
    },
    token: { type: 'boolean', help: 'at the gateway: make every cryptogram and MAC again in its token' },
  },
  notes: [
    'Keys come from you or from the line, never from the transcript that is checked.',
    ...LIMITS,
    'Sessions under the scratch set cannot be made again: its keys died with the dialogue.',
  ],
  examples: [
    'holdfast transcript verify unit.json --gateway-key 04… --issuer line-1=line-1.pem',
    'holdfast transcript verify --dir var/line --eid 89049032000000000000000000000123 --token',
  ],
  run: async (given, means) => {
    const [path] = given.operands;
    if ((path === undefined) === (textOf(given, 'eid') === null))
      throw usage('say which transcript: a FILE, or --eid EID for the one in the ledger');
    const trust = trustOf(given, means);
    const file = path === undefined ? await keptTranscript(given, means) : readTranscript(path, means);
    if (file === null) return ExitCode.fault;
    const checks: readonly Check[] = checkTranscript(file, trust, means.crypto);
    const wrong = checks.find(({ ok }) => !ok);
    // Codes are made again only of what is signed: the token answers no questions that somebody composed.
    const sessions = isSet(given, 'token') && wrong === undefined ? await inToken(file, given, means) : [];
    return report(file, checks, sessions, { json: isSet(given, 'json'), means });
  },
};

async function inToken(
  file: TranscriptFile,
  given: Arguments,
  means: Means,
): Promise<readonly SessionCheck[]> {
  const found = sessionsIn(file);
  await using token = await means.openToken(gatewayIn(lineOf(given), means));
  return await recompute(found, token, file.kind === 'verdict'); // The token is closed behind it.
}

/** @throws Fault TRANSCRIPT_INVALID */
function sessionsIn({ transcript }: TranscriptFile): readonly FoundSession[] {
  try {
    const sessions = sessionsOf(transcript);
    if (sessions.some(({ session }) => session.exchanges.length > RECORDED_MAX))
      throw new RangeError('a session without end');
    return sessions;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Fault('TRANSCRIPT_INVALID', { check: 'sessions', why: error.message }, { cause: error });
  }
}

function report(
  { kind, transcript }: TranscriptFile,
  checks: readonly Check[],
  sessions: readonly SessionCheck[],
  { json, means }: { readonly json: boolean; readonly means: Means },
): number {
  const { eid, operation, epoch } = transcript;
  const wrong = [...checks, ...sessions].find(({ ok }) => ok === false);
  const verified = wrong === undefined;
  if (json) means.print(JSON.stringify({ verified, kind, eid, operation, epoch, checks, sessions }));
  else {
    const rows = [...checks, ...sessions].map(({ check, ok, found }) => [
      ok === null ? 'not checked' : ok ? 'ok' : 'FAILED',
      check,
      found,
    ]);
    for (const line of columns(rows)) means.print(line);
    if (sessions.length > 0) for (const line of LIMITS) means.print(means.paint.faint(line));
    means.print(
      verified ? means.paint.strong('VERIFIED') : means.paint.alarm(`NOT VERIFIED: ${wrong.check}`),
    );
  }
  if (verified) return ExitCode.done;
  return showFault(new Fault('TRANSCRIPT_INVALID', { check: wrong.check, why: wrong.found }), json, means);
}
