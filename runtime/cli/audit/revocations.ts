/**
 * Revocations, trust lists and the standing of stations against their leaves: what the log says must stand in the tables
 * word for word, and nothing else may. A row that is gone would let a certificate live that officers have ended.
 */

import { fromText, toHex } from '../../core/bytes.ts';
import { canonicalJson, type Json } from '../../core/canonical-json.ts';
import { fittingLeafOf, readLeaf } from '../../core/log/leaf.ts';
import { payloadOf } from '../../core/messages/envelope.ts';
import { trustListStatement } from '../../core/messages/trust-list.ts';
import type { Crypto } from '../../core/ports.ts';
import type { RevocationRow } from '../../core/store/revocation.ts';
import type { FleetView } from '../means.ts';

/** What a row says, by the name under which people know it: `revocation of certificate 0a…`. */
export type Standing = Map<string, string>;

const ROWS_PER_READ = 10_000;
const LISTS_PER_READ = 50;

interface Told {
  readonly kind: string;
  readonly at: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Adds what one leaf says. */
export function takeLeaf(standing: Standing, index: number, { kind, at, body }: Told): void {
  const say = (name: string, said: Readonly<Record<string, unknown>>): void => {
    standing.set(name, textOf({ ...said, leafIndex: index }));
  };
  const { plan, reason } = body;
  switch (kind) {
    case 'revocation':
      for (const { serial, issuer, eid } of listOf(body.certificates))
        say(names.certificate(serial), { serial, eid, issuer, plan, reason, revokedAt: at });
      if (!Array.isArray(body.certificates))
        say(names.list(index), { list: body.certificates, plan, reason, revokedAt: at });
      for (const { name, keyIdentifier } of listOf(body.intermediates))
        say(names.intermediate(name), {
          ...{ issuer: name, issuerKeyId: keyIdentifier, plan, reason, revokedAt: at },
        });
      say(names.plan(plan), { plan, executedAt: at });
      break;
    case 'trust-list':
      say(names.trustList(body.number), { list: body });
      break;
    case 'station-revocation':
      standing.set(
        names.revokedStation(body.station),
        textOf(parts(body, ['station', 'number', 'reason'], at)),
      );
      break;
    case 'station-enrolment':
      standing.set(
        names.enrolledStation(body.number),
        textOf(parts(body, ['station', 'number', 'tlsKey', 'envelopeKey'], at)),
      );
      break;
    default:
  }
}

/** What the tables hold of it. */
export async function standingOf(view: FleetView, crypto: Crypto): Promise<Standing> {
  const standing: Standing = new Map();
  for (let after = ''; ; ) {
    const rows = await view.revocationsAfter(after, ROWS_PER_READ);
    for (const row of rows) standing.set(names.certificate(row.serial), textOf({ ...row }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_PER_READ) break;
    after = last.serial;
  }
  for (const row of await view.revokedIssuers())
    standing.set(names.intermediate(row.issuer), textOf({ ...row }));
  for (const row of await view.executedPlans()) standing.set(names.plan(row.plan), textOf({ ...row }));
  for (let after = 0; ; ) {
    const rows = await view.trustListsAfter(after, LISTS_PER_READ);
    for (const { number, jws, leafIndex } of rows)
      standing.set(names.trustList(number), textOf({ list: loggedList(jws, crypto), leafIndex }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < LISTS_PER_READ) break;
    after = last.number;
  }
  for (const row of await view.revokedStations())
    standing.set(names.revokedStation(row.station), textOf({ ...row }));
  for (const row of await view.enrolledStations())
    standing.set(names.enrolledStation(row.number), textOf({ ...row }));
  return standing;
}

/** The first difference, named; null for none. */
export function differenceOf(
  said: Standing,
  rows: Standing,
  crypto: Crypto,
): { readonly where: string; readonly why: string } | null {
  const stored = listed(said, rows, crypto);
  for (const [where, text] of said) {
    const row = stored.get(where);
    if (row === undefined) return { where, why: 'it is missing: the log says it' };
    if (row !== text) return { where, why: 'it is another than was logged' };
  }
  const [added] = [...stored.keys()].filter((where) => !said.has(where));
  return added === undefined ? null : { where: added, why: 'no leaf of the log says it' };
}

/** A trust list as its leaf says it; null for what is none. */
function loggedList(jws: string, { sha256 }: Crypto): unknown {
  const list = payloadOf(trustListStatement, jws);
  return list && readLeaf(fittingLeafOf('trust-list', '', '', { ...list }, sha256).entry)?.body;
}

/** The rows, where a leaf holds a list too long for it as number and hash: in the place of its rows that list. */
function listed(said: Standing, rows: Standing, { sha256 }: Crypto): Standing {
  const hashed = new Map(
    [...said].flatMap(([where, text]) => (isList(where) ? [[leafIn(text), where]] : [])),
  );
  if (hashed.size === 0) return rows;
  const kept: Standing = new Map();
  const lists = new Map<string, RevocationRow[]>();
  for (const [where, text] of rows) {
    const list = isCertificate(where) ? hashed.get(leafIn(text)) : undefined;
    if (list === undefined) {
      kept.set(where, text);
      continue;
    }
    const certificates = lists.get(list) ?? [];
    lists.set(list, certificates);
    certificates.push(JSON.parse(text) as RevocationRow);
  }
  for (const [where, certificates] of lists) {
    const inOrder = certificates.sort((a, b) => (a.serial < b.serial ? -1 : 1));
    const rowsText = canonicalJson(inOrder.map(({ serial, eid, issuer }) => ({ serial, eid, issuer })));
    const list = { count: certificates.length, sha256: toHex(sha256(fromText(rowsText))) };
    // Every row says the same of its plan; one that does not is told by the first of them.
    const aboutPlan = ({ plan, reason, revokedAt, leafIndex }: RevocationRow): string =>
      textOf({ list, plan, reason, revokedAt, leafIndex });
    const texts = inOrder.map(aboutPlan);
    kept.set(where, texts.find((text) => text !== said.get(where)) ?? texts[0] ?? '');
  }
  return kept;
}

const leafIn = (text: string): unknown => (JSON.parse(text) as { leafIndex?: unknown }).leafIndex;
const isList = (where: string): boolean => where.startsWith('certificates revoked');
const isCertificate = (where: string): boolean => where.startsWith('revocation of certificate');

const names = {
  list: (leaf: number) => `certificates revoked by leaf ${leaf}`,
  certificate: (serial: unknown) => `revocation of certificate ${String(serial)}`,
  intermediate: (name: unknown) => `revocation of intermediate ${String(name)}`,
  plan: (plan: unknown) => `executed plan ${String(plan)}`,
  trustList: (number: unknown) => `trust list ${String(number)}`,
  revokedStation: (station: unknown) => `revocation of station ${String(station)}`,
  enrolledStation: (number: unknown) => `enrolment ${String(number)}`,
} as const;

function parts(body: Told['body'], fields: readonly string[], since: string): Record<string, unknown> {
  return { ...Object.fromEntries(fields.map((field) => [field, body[field]])), since };
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value : [];
}

function textOf(said: Readonly<Record<string, unknown>>): string {
  return canonicalJson(said as Json);
}
