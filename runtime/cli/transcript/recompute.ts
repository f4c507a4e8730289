/** What only the token can check: every code of every SCP03 session, made again under the keys it was held with. */

import type { SessionAudit } from '../../core/card/scp03-audit.ts';
import type { FoundSession } from '../../core/card/transcript-sessions.ts';
import { isFault } from '../../core/faults.ts';
import type { Token } from '../../core/token.ts';
import { counted } from '../screen.ts';
import type { Check } from './checks.ts';

/** `ok` is null where nothing could be made again. */
export interface SessionCheck extends Omit<Check, 'ok'> {
  readonly ok: boolean | null;
}

/** One line for each session. `verdict`: the chip was condemned, so that its last word may be a wrong one: nothing
 * was sent in a session behind it. */
export async function recompute(
  sessions: readonly FoundSession[],
  token: Pick<Token, 'auditSession'>,
  verdict: boolean,
): Promise<readonly SessionCheck[]> {
  const checks: SessionCheck[] = [];
  for (const [i, found] of sessions.entries()) {
    const behind = sessions.slice(i + 1);
    const mayBeWrong = verdict && behind.every(({ session }) => session.externalAuthenticate === null);
    checks.push({ check: `session ${i + 1}`, ...(await judge(found, token, mayBeWrong)) });
  }
  return checks;
}

async function judge(
  { list, keyVersion, keys, answered, session }: FoundSession,
  token: Pick<Token, 'auditSession'>,
  mayBeWrong: boolean,
): Promise<Omit<SessionCheck, 'check'>> {
  const set = keys === null ? 'scratch' : keys.origin;
  const name = `begun in ${list}, ${set} set ${keyVersion.toString(16)}`;
  if (!answered) return { ok: null, found: `${name}: the chip refused it, so there is no code` };
  if (keys === null)
    return { ok: null, found: `${name}: cannot be made again, its keys died with the dialogue` };
  try {
    return wordsFor(name, await token.auditSession(keys, session), { keys, session }, mayBeWrong);
  } catch (error) {
    if (!isFault(error) || error.code !== 'CARD_ANSWER_MALFORMED') throw error;
    return { ok: mayBeWrong, found: `${name}: the answer to INITIALIZE UPDATE is malformed` };
  }
}

function wordsFor(
  name: string,
  audit: SessionAudit,
  { keys, session: { exchanges } }: Pick<FoundSession, 'keys' | 'session'>,
  mayBeWrong: boolean,
): Omit<SessionCheck, 'check'> {
  if (!audit.cardCryptogram) return { ok: mayBeWrong, found: `${name}: the chip’s cryptogram is wrong` };
  if (audit.externalAuthenticate === null)
    return { ok: true, found: `${name}: the chip’s cryptogram is right, the session went no further` };
  if (!audit.externalAuthenticate)
    return { ok: false, found: `${name}: the host’s cryptogram or its code is wrong` };
  const command = audit.exchanges.findIndex((one) => one.command === false);
  if (command >= 0) return { ok: false, found: `${name}: the C-MAC of command ${command + 1} is wrong` };
  const answer = audit.exchanges.findIndex((one) => one.answer === false);
  if (answer >= 0)
    return { ok: mayBeWrong, found: `${name}: R-MAC or encryption of answer ${answer + 1} is wrong` };
  const commands = audit.exchanges.filter((one) => one.command === true).length;
  const answers = audit.exchanges.filter((one) => one.answer === true).length;
  const bare = audit.exchanges.filter((one) => one.answer === null).length;
  const hidden = exchanges.filter(({ kind }, i) => kind === 'put-key' && !audit.exchanges[i]?.command).length;
  // What goes in under the transport set is the fleet's set, or the unit has other keys than the record says.
  if (hidden > 0 && keys?.origin === 'transport')
    return { ok: false, found: `${name}: PUT KEY did not carry the fleet’s key set` };
  const made = exchanges.filter(({ kind }, i) => kind === 'put-key' && audit.exchanges[i]?.command).length;
  const rest = [
    ...(made === 0 ? [] : [`${counted(made, 'PUT KEY', 'PUT KEY')} wrapped again and the same`]),
    ...(hidden === 0 ? [] : [`${counted(hidden, 'PUT KEY', 'PUT KEY')} known by hash alone`]),
    ...(bare === 0 ? [] : [`${counted(bare, 'refusal')} without a code`]),
  ];
  return {
    ok: true,
    found: `${name}: both cryptograms, ${counted(commands, 'C-MAC')} and ${counted(answers, 'R-MAC')} are right${
      rest.length === 0 ? '' : `; ${rest.join(', ')}`
    }`,
  };
}

/** What the kept form cannot show, said wherever codes were made again. */
export const LIMITS: readonly string[] = [
  'Of PUT KEY only a hash is kept. With the fleet’s set the token wraps it again and compares. With scratch keys or a',
  'wrong check value it cannot: the codes behind such a command are made from the chaining value that the gateway',
  'kept and signed, and the R-MAC of its answer shows that the chip had the same.',
];
