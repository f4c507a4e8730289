/**
 * The register of the bus authority: a line for each code, certificate, revocation and CRL, written before the thing
 * itself leaves. What stands in it decides; nothing is ever taken out.
 */
import { z } from 'zod';
import { equal, fromHex } from '../bytes.ts';
import { Fault } from '../faults.ts';
import { instantMs } from '../instant.ts';
import type { Crypto } from '../ports.ts';
import { type AskedEnrolment, codeProof } from './enrolment.ts';
import { hex, instant, partyName } from './fields.ts';

const at = instant;
export const registerEntry = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('code'), at, station: partyName, code: z.string(), notAfter: instant }),
  z.strictObject({ kind: z.literal('code-spent'), at, station: partyName, code: z.string() }),
  z.strictObject({
    kind: z.literal('issued'),
    at,
    station: partyName,
    serial: hex,
    tlsKey: hex,
    envelopeKey: hex,
    notAfter: instant,
    by: z.enum(['code', 'officers', 'renewal']),
  }),
  z.strictObject({ kind: z.literal('revoked'), at, station: partyName, reason: z.string() }),
  z.strictObject({ kind: z.literal('crl'), at, number: z.int().min(1) }),
]);
export type RegisterEntry = z.output<typeof registerEntry>;

/** @throws Fault CONFIG_INVALID naming the line */
export function readRegister(text: string, file: string): readonly RegisterEntry[] {
  return text.split('\n').flatMap((line, i) => {
    if (line === '') return [];
    const entry = registerEntry.safeParse(parsed(line));
    if (entry.success) return [entry.data];
    throw new Fault('CONFIG_INVALID', { file, line: i + 1, why: 'not an entry of the register' });
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null; // The caller says which line.
  }
}

/** The code that a request proves, while it is good; null for none. */
export function codeOf(
  asked: AskedEnrolment,
  register: readonly RegisterEntry[],
  nowMs: number,
  crypto: Crypto,
): string | null {
  const spent = new Set(register.flatMap((entry) => (entry.kind === 'code-spent' ? [entry.code] : [])));
  for (const entry of register)
    if (
      entry.kind === 'code' &&
      entry.station === asked.station &&
      !spent.has(entry.code) &&
      nowMs <= instantMs(entry.notAfter) &&
      asked.code === codeProof(entry.code, asked, crypto)
    )
      return entry.code;
  return null;
}

/** @throws Fault ENROLMENT_REFUSED for a name that was revoked */
export function demandNotRevoked(station: string, register: readonly RegisterEntry[]): void {
  if (register.some((entry) => entry.kind === 'revoked' && entry.station === station))
    throw new Fault('ENROLMENT_REFUSED', { station, why: 'it was revoked' });
}

/** A renewal changes neither key. @throws Fault ENROLMENT_REFUSED */
export function demandSameKeys(asked: AskedEnrolment, register: readonly RegisterEntry[]): void {
  const last = register.findLast((entry) => entry.kind === 'issued' && entry.station === asked.station);
  if (last?.kind !== 'issued') return;
  const same =
    equal(fromHex(last.tlsKey), asked.tlsKey) && equal(fromHex(last.envelopeKey), asked.envelopeKey);
  if (!same) throw new Fault('ENROLMENT_REFUSED', { station: asked.station, why: 'renewed with other keys' });
}

/** Certificates of revoked stations that have not ended, and since when they are revoked. */
export function revokedSerials(
  register: readonly RegisterEntry[],
  nowMs: number,
): readonly { readonly serial: string; readonly since: string }[] {
  const since = new Map(
    register.flatMap((entry) => (entry.kind === 'revoked' ? [[entry.station, entry.at] as const] : [])),
  );
  return register.flatMap((entry) => {
    if (entry.kind !== 'issued' || instantMs(entry.notAfter) < nowMs) return [];
    const revoked = since.get(entry.station);
    return revoked === undefined ? [] : [{ serial: entry.serial, since: revoked }];
  });
}
