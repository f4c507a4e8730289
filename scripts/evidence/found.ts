/** Faults of our own that each way of looking has found, for the track record. Written by hand when one is found. */
export const found: readonly (readonly [what: string, by: string])[] = [
  ['A failure of the store that nobody heard of ended the backend', 'simulated nights (I14)'],
  [
    'A reservation said again raised the epoch under a condemned unit, which then stayed in its nest for ever',
    'simulated nights (L1) and, apart from them, the model (liveness)',
  ],
  [
    'A board that was reset in the middle of a list held its unit with an unexpected error',
    'simulated nights (I15)',
  ],
  [
    'A journal that had been put back left a nest in the middle of a visit whose unit had left',
    'simulated nights (L1)',
  ],
  [
    'A station would have written to the journal of another one that was put into it',
    'planning the nights; its mutant dies in them (L2)',
  ],
  [
    'A backend would have gone on from a database that had been restored from a backup',
    'planning the nights; its mutant dies in them (I7)',
  ],
  [
    'The start of a station verified the signature of every receipt there ever was',
    'recovery with 100,000 entries',
  ],
  ['A storage error of any kind read as a missing or damaged journal', 'system calls made to fail'],
  ['A set-up that was cut off left a witness that blocked the next', 'crash images'],
  ['A torn log was accepted after a clean stop', 'the table of damages'],
  [
    'A word of the gate controller that arrived together with an answer was dropped',
    'kills of the real station',
  ],
];
