/** The rules of the protocol that a run of the model may take away, and what each one is there for. */

/** Units, nests and the fewest faults of the run that shows it. */
export interface Setting {
  readonly units: number;
  readonly nests: number;
  readonly faults: number;
}

export interface Mutant {
  /** Rules that are taken away together. */
  readonly without: readonly Rule[];
  readonly means: string;
  /** Property that fails: a number of `gate.pml`, or `live`; null for none. */
  readonly caught: number | 'live' | null;
  readonly setting: Setting;
  /** Why a mutant survives. */
  readonly why?: string;
}

/** In the order of their bits. */
export const rules = [
  'SYNC',
  'RESYNC',
  'INTENT',
  'NO_PUBACK',
  'OWN_ANSWER',
  'COMMIT_FIRST',
  'ARRIVAL_FIRST',
  'SAME_CARD',
  'CLOSE_ON_LOSS',
  'ARRIVAL',
  'DERIVED_KEY',
  'PROOF',
  'PAIR_CERTIFIED',
  'GATEWAY_EPOCH',
  'BACKEND_EPOCH',
  'TAG',
  'FORMER_VOID',
  'DELETE_LAST',
  'RESERVATION',
  'UNIQUE',
  'ONE_COMMIT',
  'RECEIPT_FIRST',
] as const;
export type Rule = (typeof rules)[number];

const calm: Setting = { units: 1, nests: 1, faults: 0 };
const one: Setting = { units: 1, nests: 1, faults: 1 };
const two: Setting = { units: 1, nests: 1, faults: 2 };
const pair: Setting = { units: 2, nests: 1, faults: 1 };
const moved: Setting = { units: 1, nests: 2, faults: 1 };

// biome-ignore format: this is a table
export const mutants: readonly Mutant[] = [
  { without: ['SYNC'], caught: 5, setting: calm, means: 'appends are not synced' },
  { without: ['RESYNC'], caught: 5, setting: one, means: 'what a start reads back is not synced' },
  { without: ['INTENT'], caught: 0, setting: calm, means: 'a list is played without its intent' },
  { without: ['NO_PUBACK'], caught: 9, setting: calm, means: 'the broker’s PUBACK counts as registration' },
  { without: ['OWN_ANSWER'], caught: 9, setting: one, means: 'any answer of the backend counts' },
  { without: ['COMMIT_FIRST'], caught: 9, setting: calm, means: 'the backend answers before its commit' },
  { without: ['ARRIVAL_FIRST'], caught: 3, setting: one, means: 'the arrival is read after the EID' },
  { without: ['SAME_CARD'], caught: 0, setting: pair, means: 'a list is played on whatever chip is there' },
  { without: ['CLOSE_ON_LOSS'], caught: 5, setting: one, means: 'the gate stays open when the unit is taken away' },
  { without: ['ARRIVAL'], caught: 3, setting: one, means: 'the controller obeys for any arrival' },
  { without: ['DERIVED_KEY', 'PROOF'], caught: 1, setting: one, means: 'each dialogue draws another key, and proves none' },
  { without: ['DERIVED_KEY'], caught: 'live', setting: one, means: 'each dialogue draws another key' },
  { without: ['PAIR_CERTIFIED'], caught: 2, setting: one, means: 'a certificate is answered by EID alone' },
  { without: ['GATEWAY_EPOCH'], caught: 2, setting: moved, means: 'the gateway goes on in an older epoch' },
  { without: ['TAG'], caught: 1, setting: one, means: 'the controller verifies no tag' },
  { without: ['FORMER_VOID'], caught: 9, setting: moved, means: 'a release is given while a former one may still be used' },
  { without: ['DELETE_LAST'], caught: 8, setting: calm, means: 'the transport set is deleted before the proof' },
  { without: ['RESERVATION'], caught: 0, setting: calm, means: 'a key is injected without a reservation' },
  { without: ['UNIQUE'], caught: 7, setting: moved, means: 'a second nest gets an operation of its own' },
  { without: ['ONE_COMMIT'], caught: 9, setting: calm, means: 'the record is committed without the confirmation' },
  { without: ['RECEIPT_FIRST'], caught: 5, setting: calm, means: 'the reject lane is asked for before its receipt' },
  { without: ['PROOF'], caught: null, setting: two, means: 'the new set is not proved',
    why: 'the key follows from the EID, and a chip of the model that takes a key has it; lying chips are the simulation’s' },
  { without: ['BACKEND_EPOCH'], caught: null, setting: two, means: 'the backend registers an older epoch',
    why: 'what was confirmed stays true of the chip, and the release is for an arrival that has ended' },
];

/** `rules.pml`: the numbers of the rules, and where a run gets its choice from. */
export function modelRules(): string {
  return `/* The rules that a run may take away, for gate.pml: written by \`npm run docs\` from scripts/model/rules.ts. */
${rules.map((rule, bit) => `#define R_${rule} ${bit}`).join('\n')}
#ifdef CHOSEN
/* One checker for every run: rules and number of faults come from its environment. */
c_decl {
  static unsigned removed_rules, fault_budget;
  __attribute__((constructor)) static void choose_run(void) {
    removed_rules = strtoul(getenv("REMOVED"), 0, 0);
    fault_budget = strtoul(getenv("NFAULT"), 0, 0);
  }
}
#define RULE(rule) c_expr { !(removed_rules >> R_##rule & 1) }
#define NFAULT c_expr { fault_budget }
#else
#ifndef REMOVED
#define REMOVED 0
#endif
#define RULE(rule) (!((REMOVED) >> R_##rule & 1))
#ifndef NFAULT
#define NFAULT 3
#endif
#endif
`;
}

/** Bits of the rules, as `-DREMOVED` takes them. */
export function maskOf(without: readonly Rule[]): number {
  return without.reduce((mask, rule) => mask | (1 << rules.indexOf(rule)), 0);
}
