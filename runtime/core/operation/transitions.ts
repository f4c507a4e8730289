/**
 * The provisioning operation as a table: one row per arrow of the diagram in ARCHITECTURE.md.
 *
 * Read a row as: in `from`, when `on` happens, first make `journal` durable, then `perform`, and be in `to`.
 * `restart` says what to do with `perform` when the program starts and finds its answer missing: `again` it
 * is idempotent, repeat it; `inspect` it is not, ask silicon or jig first how far it came.
 */
import type { FactName } from './facts.ts';

// biome-ignore format: this is a table
const rows = [
  // from               on                   to                 journal              perform            restart
  ['vacant',           'unit-arrived',      'clamping',        'arrived',           'clamp',           'again'],
  ['clamping',         'clamped',           'identifying',     'clamped',           'identify',        'again'],
  ['identifying',      'identified',        'reserving',       'identified',        'reserve',         'again'],
  ['reserving',        'reserved',          'personalizing',   'reserved',          'personalize',     'inspect'],
  ['personalizing',    'list-issued',       'personalizing',   'intent',            'play',            'inspect'],
  ['personalizing',    'confirmed',         'registering',     'confirmed',         'register',        'again'],
  ['registering',      'registered',        'judging',         'registered',        'judge',           'again'],
  ['judging',          'permitted',         'releasing',       'release-intent',    'open',            'inspect'],
  ['releasing',        'unit-left',         'vacant',          'released',          null,              null],

  // A verdict on the card: it leaves by its own lane, with the backend's receipt first.
  ['identifying',      'condemned',         'rejecting',       'reject-intent',     'register-reject', 'again'],
  ['reserving',        'condemned',         'rejecting',       'reject-intent',     'register-reject', 'again'],
  ['personalizing',    'condemned',         'rejecting',       'reject-intent',     'register-reject', 'again'],
  ['rejecting',        'reject-registered', 'diverting',       'reject-registered', 'divert',          'inspect'],
  ['diverting',        'unit-diverted',     'vacant',          'diverted',          null,              null],
  // Its reservation is an old one by now: another try has begun somewhere, and the verdict is not about that.
  ['rejecting',        'resume-due',        'clamping',        'resumed',           'clamp',           'again'],

  // Anything else that fails holds the unit where it is; it is tried again from the start of its visit.
  ['clamping',         'fault',             'held',            'held',              'wait',            'again'],
  ['identifying',      'fault',             'held',            'held',              'wait',            'again'],
  ['reserving',        'fault',             'held',            'held',              'wait',            'again'],
  ['personalizing',    'fault',             'held',            'held',              'wait',            'again'],
  ['registering',      'fault',             'held',            'held',              'wait',            'again'],
  ['judging',          'fault',             'held',            'held',              'wait',            'again'],
  ['releasing',        'fault',             'held',            'held',              'wait',            'again'],
  ['rejecting',        'fault',             'reject-held',     'held',              'wait',            'again'],
  ['diverting',        'fault',             'reject-held',     'held',              'wait',            'again'],
  ['held',             'resume-due',        'clamping',        'resumed',           'clamp',           'again'],
  ['personalizing',    'resume-due',        'clamping',        'resumed',           'clamp',           'again'],
  ['reject-held',      'resume-due',        'rejecting',       'resumed',           'register-reject', 'again'],

  // The controller reports a departure late: after a lost link or a restart.
  ['clamping',         'unit-left',         'vacant',          'released',          null,              null],
  ['held',             'unit-left',         'vacant',          'released',          null,              null],
  ['rejecting',        'unit-diverted',     'vacant',          'diverted',          null,              null],
  ['reject-held',      'unit-diverted',     'vacant',          'diverted',          null,              null],

  // The arrival ended otherwise: taken by hand, or the gate closed with the unit still there.
  ['clamping',         'arrival-ended',     'vacant',          'interrupted',       null,              null],
  ['identifying',      'arrival-ended',     'vacant',          'interrupted',       null,              null],
  ['reserving',        'arrival-ended',     'vacant',          'interrupted',       null,              null],
  ['personalizing',    'arrival-ended',     'vacant',          'interrupted',       null,              null],
  ['registering',      'arrival-ended',     'vacant',          'interrupted',       null,              null],
  ['judging',          'arrival-ended',     'vacant',          'interrupted',       null,              null],
  ['releasing',        'arrival-ended',     'vacant',          'interrupted',       null,              null],
  ['rejecting',        'arrival-ended',     'vacant',          'interrupted',       null,              null],
  ['diverting',        'arrival-ended',     'vacant',          'interrupted',       null,              null],
  ['held',             'arrival-ended',     'vacant',          'interrupted',       null,              null],
  ['reject-held',      'arrival-ended',     'vacant',          'interrupted',       null,              null],
] as const satisfies readonly Row[];

type Row = readonly [
  from: string,
  on: string,
  to: string,
  journal: FactName,
  perform: string | null,
  restart: 'again' | 'inspect' | null,
];

export const transitions = rows.map(([from, on, to, journal, perform, restart]) => ({
  from,
  on,
  to,
  journal,
  perform,
  restart,
}));

export type Transition = (typeof transitions)[number];
export type State = Transition['from'] | Transition['to'];
export type Trigger = Transition['on'];
export type Action = NonNullable<Transition['perform']>;

/** The table drawn as a Mermaid state diagram; the rows that end an arrival are drawn once. */
export function toMermaid(): string {
  // Mermaid's names have no hyphens.
  const id = (state: string): string => state.replaceAll('-', '_');
  const names = [...new Set(transitions.map((t): string => t.to))]
    .filter((state) => state.includes('-'))
    .map((state) => `  state "${state}" as ${id(state)}`);
  const arrows = transitions
    .filter((t) => t.on !== 'arrival-ended')
    .map((t) => `  ${id(t.from)} --> ${id(t.to)}: ${t.on}${t.perform ? ` / ${t.perform}` : ''}`);
  return ['stateDiagram-v2', '  [*] --> vacant', ...names, ...arrows].join('\n');
}
