/** What is done to a unit in its life by people: the order that officers approve, and the instructions that carry it. */
import { z } from 'zod';
import { type LifeState, lifeActs, lifeStates } from '../history/life.ts';
import { eid, hash, instant, jws } from './fields.ts';
import { instruction } from './instruction.ts';

/** Whatever the settings say: what is destroyed was seen by two. */
export const SCRAP_WITNESSES = 2;

export const lifeOrder = z.strictObject({
  contract: z.literal('holdfast/life-order-1'),
  eid,
  act: z.enum(lifeActs),
  from: z.enum(lifeStates),
  to: z.enum(lifeStates),
  predecessor: z.int().min(0).meta({
    description: 'Leaf of the unit’s last event: approvals count for what the unit is now, and only once.',
  }),
  reason: z.string().min(1).max(200),
  evidence: hash.nullable().meta({
    description: 'SHA-256 of what shows that the card is terminated; scrap has it, nothing else needs it.',
  }),
  madeAt: instant,
});
export type LifeOrder = z.output<typeof lifeOrder>;

export const planLifeInstruction = instruction({
  name: 'plan-unit-life',
  to: 'backend',
  body: lifeOrder.pick({ eid: true, act: true, reason: true, evidence: true }),
  answer: lifeOrder,
});

export const executeLifeInstruction = instruction({
  name: 'execute-unit-life',
  to: 'backend',
  body: z.strictObject({ order: lifeOrder, approvals: z.array(jws).max(16) }),
  answer: z.strictObject({ leafIndex: z.int(), state: z.enum(lifeStates), at: instant }),
});

/** States in which no unit leaves a line, whatever its keys are. */
export const setAside: readonly LifeState[] = [
  'QUARANTINED',
  'REWORK',
  'RMA',
  'REVOKED',
  'SCRAPPED',
  'RETIRED',
];
