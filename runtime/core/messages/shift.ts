/**
 * Shifts: who is in charge at a station, from a sign-in to its end. The backend signs a receipt that names the pseudonym;
 * the station keeps it in its journal, and shows it with each request that says who was in charge.
 */
import { z } from 'zod';
import { type Bytes, fromBase64, fromText, toText } from '../bytes.ts';
import { Fault, isFault } from '../faults.ts';
import { instantMs } from '../instant.ts';
import type { AgreementKey, Crypto, Entropy } from '../ports.ts';
import { open, statement, type TrustedKey } from './envelope.ts';
import { instant, partyName } from './fields.ts';
import { instruction } from './instruction.ts';
import { agreeWith, type Context, decrypt, encrypt } from './jwe.ts';
import { badgeNumber, operatorName, pseudonym } from './operator.ts';

export const shiftReceipt = statement({
  typ: 'holdfast/shift+v1',
  signedBy: 'backend',
  payload: z.strictObject({
    shift: z.uuid(),
    station: partyName,
    pseudonym,
    since: instant,
    until: instant.meta({ description: 'By the backend’s clock, which judges it.' }),
  }),
});
export type Shift = z.output<typeof shiftReceipt.payload>;

/** What is shown of a shift; the name only while the station that was told it runs. */
const shown = z.strictObject({
  inCharge: z.string().meta({ description: 'Pseudonym, or the named authority.' }),
  name: operatorName.nullable(),
  until: instant.nullable().meta({ description: 'Null under the authority.' }),
});
export type ShownShift = z.output<typeof shown>;

export const signInInstruction = instruction({
  name: 'sign-in',
  to: 'station',
  body: z.strictObject({ badge: badgeNumber }),
  answer: shown,
});
export const signOutInstruction = instruction({
  name: 'sign-out',
  to: 'station',
  body: z.strictObject({}),
  answer: shown,
});
export const showShiftInstruction = instruction({
  name: 'show-shift',
  to: 'station',
  body: z.strictObject({}),
  answer: shown,
});

/**
 * @param at of whom the receipt must be, and when it must not have ended: milliseconds since 1970, of the judging program
 * @returns null for a shift that has ended
 * @throws Fault SHIFT_INVALID for a receipt that the backend did not sign, or of another station
 */
export function judgeShift(
  receipt: string,
  at: { readonly station: string; readonly nowMs: number },
  trusted: readonly TrustedKey[],
  crypto: Crypto,
): Shift | null {
  const shift = opened(receipt, trusted, crypto);
  if (shift.station !== at.station)
    throw new Fault('SHIFT_INVALID', { station: at.station, why: 'of another station' });
  return at.nowMs < instantMs(shift.until) ? shift : null;
}

function opened(receipt: string, trusted: readonly TrustedKey[], crypto: Crypto): Shift {
  try {
    return open(shiftReceipt, receipt, trusted, crypto).payload;
  } catch (error) {
    if (!isFault(error)) throw error;
    throw new Fault('SHIFT_INVALID', { why: 'not signed by the backend' }, { cause: error });
  }
}

/** The broker must not learn a badge. @param to the backend's key, base64 @throws Fault ENVELOPE_INVALID */
export function encryptBadge(
  badge: string,
  to: string,
  station: string,
  means: { readonly crypto: Crypto; readonly entropy: Entropy },
): string {
  return encrypt(fromText(badge), agreeWith(fromBase64(to), means), contextOf(station), means);
}

/** @throws Fault ENVELOPE_INVALID for any other key or station, MESSAGE_MALFORMED for what is no badge */
export function decryptBadge(jwe: string, own: AgreementKey, station: string, crypto: Crypto): string {
  const text: Bytes = decrypt(jwe, own, contextOf(station), crypto);
  const badge = badgeNumber.safeParse(toText(text));
  // What was typed is in no fault.
  if (!badge.success) throw new Fault('MESSAGE_MALFORMED', { where: 'badge' });
  return badge.data;
}

function contextOf(station: string): Context {
  return { apu: fromText('badge'), apv: fromText(station) };
}
