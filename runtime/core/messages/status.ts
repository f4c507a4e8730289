/**
 * Status for an MES: retained JSON on an ISA-95 tree, read-only for everybody. PackML names its states.
 *
 * @see ANSI/ISA-TR88.00.02; ISA-95 equipment hierarchy
 */
import { z } from 'zod';
import { channel } from './channel.ts';
import { faultNote, instant } from './fields.ts';

/** Numbers of the PackML states that a station takes. TR88.00.02 table 1. */
export const PackMl = { Stopped: 2, Idle: 4, Suspended: 5, Execute: 6, Aborted: 9, Held: 11 } as const;
export type PackMlState = keyof typeof PackMl;

const base = '{enterprise}/{site}/{area}/{line}/{station}';
const at = { at: instant, version: z.literal(1) };
const common = { qos: 1, retain: true, from: 'station', to: 'mes' } as const;

export const statusState = channel({
  ...common,
  topic: `${base}/{nest}/Status/StateCurrent`,
  summary: 'PackML state of a nest, with text and number, and the reason of a hold.',
  payload: z.strictObject({
    ...at,
    state: z.enum(['Stopped', 'Idle', 'Suspended', 'Execute', 'Aborted', 'Held']),
    number: z.int(),
    step: z.string().meta({ description: 'State of the operation.' }),
    since: instant,
    reason: faultNote
      .extend({ title: z.string(), cause: z.string(), remedy: z.string() })
      .nullable()
      .meta({ description: 'Why the unit is held.' }),
  }),
});

export const statusUnit = channel({
  ...common,
  topic: `${base}/{nest}/Status/Unit`,
  summary: 'The unit in the nest; the EID by its last four digits and a keyed hash.',
  payload: z.strictObject({
    ...at,
    present: z.boolean(),
    eidEnd: z.string().nullable(),
    eidHash: z.string().nullable(),
    operation: z.string().nullable(),
    epoch: z.int().nullable(),
  }),
});

export const statusCounters = channel({
  ...common,
  topic: `${base}/{nest}/Admin/Counters`,
  summary:
    'Counters since the journal began: consumed = processed + defective + interrupted + units now in the nest.',
  payload: z.strictObject({
    ...at,
    consumed: z.int(),
    processed: z.int(),
    defective: z.int(),
    interrupted: z.int(),
    holds: z.int(),
    resumed: z.int(),
  }),
});

export const statusOnline = channel({
  ...common,
  topic: `${base}/Status/Online`,
  summary: 'Whether the station is connected; false is its last will.',
  payload: z.strictObject({ ...at, online: z.boolean() }),
});

export const statusVersions = channel({
  ...common,
  topic: `${base}/Status/Versions`,
  summary: 'Software, ticket, configuration and kind of gate of the station.',
  payload: z.strictObject({
    ...at,
    software: z.string(),
    contract: z.string(),
    ticket: z.string(),
    authority: z.string().meta({ description: 'Operator or named authority in charge.' }),
    gate: z
      .string()
      .meta({ description: 'Who judges at the gate: `controller`, or `plain-firmata (bench only)`.' }),
  }),
});

export const statusChannels = [
  statusState,
  statusUnit,
  statusCounters,
  statusOnline,
  statusVersions,
] as const;
