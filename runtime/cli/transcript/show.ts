/** `holdfast transcript show`: what was said between gateway and chip, out of the gateway's ledger. */
import { procedureSteps, type TranscriptFile } from '../../core/card/transcript-form.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet } from '../command.ts';
import type { Means } from '../means.ts';
import { columns, counted } from '../screen.ts';
import { keptOptions, keptTranscript } from './kept.ts';
import { lineOption } from './place.ts';

export const transcriptShowCommand: Command = {
  name: 'transcript show',
  summary: 'the transcript of a unit from the gateway’s ledger; with --json the file to hand on',
  options: { ...keptOptions, ...lineOption },
  notes: ['It holds no key material: of PUT KEY a hash is kept, answers are as encrypted as they were sent.'],
  examples: [
    'holdfast transcript show --dir var/line --eid 89049032000000000000000000000123',
    'holdfast transcript show --eid 89049032000000000000000000000123 --json > unit.json',
  ],
  run: async (given, means) => {
    const file = await keptTranscript(given, means);
    if (file === null) return ExitCode.fault;
    if (isSet(given, 'json')) means.print(JSON.stringify(file));
    else for (const line of linesOf(file, means)) means.print(line);
    return ExitCode.done;
  },
};

function linesOf({ kind, transcript }: TranscriptFile, { paint }: Means): readonly string[] {
  const { eid, operation, epoch, lists, judged } = transcript;
  const steps = judged.steps.map(({ step, outcome, how }) => [
    `  ${outcome}`,
    step,
    outcome === 'failed' ? how : `${procedureSteps[step]} (${how})`,
  ]);
  return [
    paint.strong(`${eid}, epoch ${epoch}: ${kind}`),
    `  operation ${operation}`,
    '',
    paint.strong('Steps'),
    ...columns(steps),
    ...lists.flatMap(({ name, changes, hash, actions }) => [
      '',
      paint.strong(`${name}, ${counted(actions.length, 'action')}${changes ? ', changes the chip' : ''}`),
      paint.faint(`  ${hash}`),
      ...actions.flatMap((action) =>
        action.kind === 'cold-reset'
          ? [`  cold reset  ${action.answer ?? 'not played'}`]
          : [
              `  > ${action.command}`,
              ...action.wire.map(
                (frame) => `  < ${frame.answer}${frame.command === null ? '' : ` to ${frame.command}`}`,
              ),
            ],
      ),
    ]),
  ];
}
