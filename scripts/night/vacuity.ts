/** Whether nights met enough for their silence to mean anything. */
import { lasting, type MishapKind } from './story.ts';
import type { Tally } from './tally.ts';

/** Every kind of mishap there is. */
export const mishapKinds: readonly MishapKind[] = [
  'kill',
  'fail',
  ...lasting,
  'board-reset',
  'token-lost',
  'broker-restart',
  'carried',
  'host-lost',
  'snatched',
  'store-restored',
  'ledger-restored',
  'disk-exchanged',
  'rogue-open',
];

/** What gate controllers must have said in many nights: every reason they have. */
export const gateWords: readonly string[] = [
  'CLOSED host-lost',
  'CLOSED presence-lost',
  'CLOSED reset',
  'CLOSED timed-out',
  'REFUSED absent',
  'REFUSED arrival-stale',
  'REFUSED counter-used',
  'REFUSED tag-wrong',
];

/** Nights from which on every kind and every word must have been met. */
export const MANY = 250;

/** What is missing; none for nights that met enough. */
export function missingIn(tally: Tally): readonly string[] {
  const missing: string[] = [];
  const demand = (met: boolean, what: string): void => {
    if (!met) missing.push(what);
  };
  demand(
    tally.released >= tally.nights / 2,
    `${tally.released} units were released in ${tally.nights} nights`,
  );
  if (tally.nights < MANY) return missing;
  demand(tally.rejected >= tally.nights / 100, `${tally.rejected} units were rejected`);
  const least = tally.nights / 100;
  for (const kind of mishapKinds)
    demand((tally.struck[kind] ?? 0) >= least, `${kind} struck ${tally.struck[kind] ?? 0} times`);
  for (const word of gateWords)
    demand(tally.gateWords.includes(word), `no gate controller ever said ${word}`);
  demand(tally.starts > tally.nights * 3, 'hardly any program was ever started again');
  return missing;
}
