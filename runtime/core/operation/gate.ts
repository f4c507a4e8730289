/** What must be durable before the conveyor may move a good unit on. */
import type { Fact, FactName } from './facts.ts';

/** In this order, after the last start of the visit: `arrived` or `resumed`. */
export const REQUIRED = [
  'identified',
  'reserved',
  'confirmed',
  'registered',
] as const satisfies readonly FactName[];

export type Gate = { readonly open: true } | { readonly open: false; readonly missing: readonly string[] };

/** Names what is wrong with the receipts among the facts of one attempt: signatures, identity, proofs. */
export type ReceiptJudge = (facts: readonly Fact[]) => readonly string[];

/** Judges the visit in progress from durable facts alone. No visit in progress holds; so does a reject. */
export function gate(facts: readonly Fact[], judge: ReceiptJudge): Gate {
  const attempt = currentAttempt(facts);
  const names = attempt.map((fact) => fact.name);
  const missing: string[] = REQUIRED.filter((name) => !names.includes(name));
  if (visitOf(facts).some((fact) => fact.name === 'reject-intent'))
    missing.push('no verdict against the card');
  if (missing.length > 0) return { open: false, missing };
  const problems = judge(attempt);
  return problems.length === 0 ? { open: true } : { open: false, missing: problems };
}

/** The facts of the visit in progress; none when the last one ended. */
export function visitOf(facts: readonly Fact[]): readonly Fact[] {
  const start = facts.findLastIndex((fact) => fact.name === 'arrived');
  const visit = start < 0 ? [] : facts.slice(start);
  return visit.some((fact) => ENDS.includes(fact.name)) ? [] : visit;
}

/** The facts since the visit began or was resumed: a resumption starts over under a new epoch. */
export function currentAttempt(facts: readonly Fact[]): readonly Fact[] {
  const visit = visitOf(facts);
  return visit.slice(
    Math.max(
      0,
      visit.findLastIndex((fact) => fact.name === 'resumed'),
    ),
  );
}

/** Facts after which a visit is over. */
export const ENDS: readonly FactName[] = ['released', 'diverted', 'interrupted'];
