/** The table of the operation as Promela names: what `test/model/gate.pml` may say, and nothing else compiles there. */
import { type Action, transitions } from '../../runtime/core/operation/transitions.ts';

/** The whole include: a row that is not in the table has no name, so a model that takes it does not compile. */
export function modelLabels(): string {
  const states = unique(transitions.flatMap((t) => [t.from, t.to]));
  const actions = unique(transitions.flatMap((t) => t.perform ?? []));
  return [
    '/* The table of the operation, for gate.pml: written by `npm run docs` from core/operation/transitions.ts. */',
    ...states.map((state, i) => `#define S_${name(state)} ${i}`),
    '#define A_none 0',
    ...actions.map((action, i) => `#define A_${name(action)} ${i + 1}`),
    '/* What a restart does with an action: again, or ask the world first. */',
    `#define INSPECTED(action) (${inspected(actions)})`,
    '/* From, trigger, next state, fact: the state that follows, and the action. */',
    ...transitions.flatMap((t) => {
      const row = [t.from, t.on, t.to, t.journal].map(name).join('__');
      return [`#define TO__${row} S_${name(t.to)}`, `#define DO__${row} A_${name(t.perform ?? 'none')}`];
    }),
    '',
  ].join('\n');
}

/** @throws RangeError when two rows restart the same action differently: the model keeps the action alone */
function inspected(actions: readonly Action[]): string {
  const asked = actions.filter((action) => {
    const ways = unique(transitions.filter((t) => t.perform === action).map((t) => t.restart));
    if (ways.length !== 1) throw new RangeError(`${action} is restarted in two ways`);
    return ways[0] === 'inspect';
  });
  return asked.map((action) => `action == A_${name(action)}`).join(' || ');
}

/** Promela's names have no hyphens. */
export function name(label: string): string {
  return label.replaceAll('-', '_');
}

function unique<T>(of: readonly T[]): readonly T[] {
  return [...new Set(of)];
}
