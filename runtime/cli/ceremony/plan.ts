/** `holdfast ceremony plan`: what a plan will do, in plain words, and the hash that officers approve. */
import { kdfOf, planHash } from '../../core/ceremony/plan.ts';
import { planWords, stepWords } from '../../core/ceremony/words.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet } from '../command.ts';
import { columns } from '../screen.ts';
import { planIn } from './given.ts';

export const ceremonyPlanCommand: Command = {
  name: 'ceremony plan',
  summary: 'checks the plan of a ceremony and tells what it will do, step by step',
  operands: 'FILE',
  operandsMax: 1,
  options: {},
  notes: ['Nothing is opened and nothing done. The hash is what officers approve: any change makes another.'],
  examples: ['holdfast ceremony plan masters.json'],
  run: async (given, means) => {
    const plan = planIn(given, means);
    const hash = planHash(plan, means.crypto);
    if (isSet(given, 'json')) {
      means.print(
        JSON.stringify({ hash, plan, steps: plan.steps.map((step) => stepWords(step, kdfOf(plan))) }),
      );
      return ExitCode.done;
    }
    for (const line of columns(planWords(plan))) means.print(line);
    for (const [at, step] of plan.steps.entries()) {
      const { title, details } = stepWords(step, kdfOf(plan));
      means.print('');
      means.print(means.paint.strong(`${at + 1}. ${title}`));
      for (const detail of details) means.print(`   ${detail}`);
    }
    means.print('');
    means.print(`plan ${hash}`);
    return ExitCode.done;
  },
};
