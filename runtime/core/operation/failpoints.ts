/** Every place on the way of a unit where a test may end the station: made from the table and the declarations, never by hand. */
import { exchanges, signInExchange } from '../messages/exchanges.ts';
import { transitions } from './transitions.ts';

/** APDU lists of the personalization, in order. `changes`: an intent is journalled before. */
// biome-ignore format: this is a table
export const apduLists = [
  { name: 'transport-open', changes: false },
  { name: 'identity',       changes: false },
  { name: 'put-key',        changes: true  },
  { name: 'fleet-open',     changes: false },
  { name: 'recognize',      changes: false },
  { name: 'prove',          changes: true  },
  { name: 'rounds',         changes: true  },
  { name: 'recall',         changes: false },
  { name: 'generate',       changes: true  },
  { name: 'sign',           changes: false },
  { name: 'certificate',    changes: true  },
  { name: 'finish',         changes: true  },
  { name: 'look',           changes: false },
] as const;
export type ApduListName = (typeof apduLists)[number]['name'];

const jigMoves = ['clamp', 'unclamp', 'open'] as const;

/** Names as `failpoint` receives them: `append:arrived:before`, `list:put-key:after`, ... */
export function failpoints(): readonly string[] {
  const names = [
    ...[...new Set(transitions.map((t) => t.journal))].map((fact) => `append:${fact}`),
    // Nobody signs in because of a unit.
    ...exchanges.filter((kind) => kind !== signInExchange).map((kind) => `request:${kind.name}`),
    ...apduLists.map((list) => `list:${list.name}`),
    ...jigMoves.map((move) => `jig:${move}`),
  ];
  return names.flatMap((name) => [`${name}:before`, `${name}:after`]);
}
