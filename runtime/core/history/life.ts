/**
 * The life of a unit: the states it can be in and the one table of what may follow what. Nothing is overwritten: each
 * change is an event of its own that names the event before it.
 */

export const lifeStates = [
  'RECORDED',
  'RELEASED',
  'REJECTED',
  'QUARANTINED',
  'REWORK',
  'RMA',
  'REVOKED',
  'SCRAPPED',
  'RETIRED',
] as const;
export type LifeState = (typeof lifeStates)[number];

/** What officers can have done to a unit; the first three states above are the line's own doing. */
export const lifeActs = ['quarantine', 'clear', 'rework', 'rma', 'return', 'scrap', 'retire'] as const;
export type LifeAct = (typeof lifeActs)[number];

interface LifeRule {
  readonly from: readonly LifeState[];
  /** `before`: the state in which it was set aside. */
  readonly to: LifeState | 'before';
  readonly says: string;
}

// biome-ignore format: this is a table
export const lifeRules: Readonly<Record<LifeAct, LifeRule>> = {
  quarantine: { from: ['RECORDED', 'RELEASED', 'REJECTED', 'REWORK', 'RMA'], to: 'QUARANTINED', says: 'set aside until somebody has judged it' },
  clear:      { from: ['QUARANTINED', 'REWORK'],                             to: 'before',      says: 'judged: what it was before' },
  rework:     { from: ['REJECTED', 'QUARANTINED', 'RMA'],                    to: 'REWORK',      says: 'at the bench' },
  rma:        { from: ['RELEASED'],                                          to: 'RMA',         says: 'came back from its customer' },
  return:     { from: ['RMA'],                                               to: 'RELEASED',    says: 'goes to its customer again' },
  scrap:      { from: ['REJECTED', 'QUARANTINED', 'REWORK', 'RMA', 'REVOKED'], to: 'SCRAPPED',  says: 'card terminated, certificate revoked; for ever' },
  retire:     { from: ['RELEASED', 'REVOKED'],                               to: 'RETIRED',     says: 'out of service; for ever' },
};

/** States after which nothing happens to a unit any more. */
export const finalStates: readonly LifeState[] = ['SCRAPPED', 'RETIRED'];

/** What the act makes of a unit in this state; null where it may not be done.
 * @param before the state in which it was last set aside */
export function lifeAfter(act: LifeAct, state: LifeState, before: LifeState | null): LifeState | null {
  const { from, to } = lifeRules[act];
  if (!from.includes(state)) return null;
  return to === 'before' ? before : to;
}
