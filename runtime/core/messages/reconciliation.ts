/** Messages of reconciliation: the status that is retained for each open ticket, and the instruction that asks for it. */
import { z } from 'zod';
import { channel } from './channel.ts';
import { COUNTS_MAX, closeOutDocument, closeTicketInstruction } from './close-out.ts';
import { eid, instant } from './fields.ts';
import { instruction } from './instruction.ts';

/** Differences that are named in a status; their number is told in any case. */
export const STATUS_DIFFERENCES_MAX = 20;
const EIDS_MAX = 100_000;

const natural = z.int().min(0);
const difference = z.strictObject({ operation: z.string(), eid: z.string(), missing: z.string() });
const counts = closeOutDocument.shape.counts.extend({
  setAside: natural.meta({ description: 'By officers: in quarantine or at rework.' }),
  scrapped: natural,
  mes: natural.nullable().meta({ description: 'Good units as the MES counts them; null: not told.' }),
});

/** The MES may tell its count here; nothing else is asked of it. */
export const statusReconciliation = channel({
  topic: 'holdfast/status/tickets/{ticket}',
  qos: 1,
  retain: true,
  from: 'backend',
  to: 'mes',
  summary: 'Counts of an open ticket, and the units of which two counts do not agree.',
  payload: z.strictObject({
    at: instant,
    version: z.literal(1),
    ticket: z.string(),
    agrees: z.boolean(),
    counts,
    differences: natural,
    units: z
      .array(z.strictObject({ operation: z.string(), eidEnd: z.string(), missing: z.string() }))
      .max(STATUS_DIFFERENCES_MAX)
      .meta({ description: 'Some of them, by operation and the end of the EID.' }),
  }),
});

const mesCount = z.strictObject({ count: natural, eids: z.array(eid).max(EIDS_MAX).nullable() });

export const reconcileInstruction = instruction({
  name: 'reconcile-ticket',
  to: 'backend',
  body: z.strictObject({
    ticket: closeTicketInstruction.body.shape.ticket,
    counts: closeTicketInstruction.body.shape.counts.element.array().max(COUNTS_MAX).meta({
      description: 'The gateway’s statements; none where they are not at hand.',
    }),
    mes: mesCount.nullable().meta({ description: 'Remembered until the next; null leaves what is known.' }),
  }),
  answer: z.strictObject({ ticket: z.string(), counts, differences: z.array(difference).max(1000) }),
});
