/**
 * `holdfast pki drill`: the fall of an intermediate by the root's list, rehearsed with keys that are made for it and
 * thrown away, with the time of each step. What people take between the steps it cannot know.
 */
import { fromBase64, fromText } from '../../core/bytes.ts';
import { parseCrl } from '../../core/pki/crl.ts';
import { toPem } from '../../core/pki/pem.ts';
import { type RootForm, rootForm } from '../../core/pki/root.ts';
import { ExitCode } from '../../program.ts';
import { type Command, countOf, isSet, textOf } from '../command.ts';
import { formIn } from '../given.ts';
import type { Means } from '../means.ts';
import { columns } from '../screen.ts';
import { createStage } from './drill-stage.ts';
import { secondOf } from './given.ts';

const DAY_MS = 86_400_000;

export const pkiDrillCommand: Command = {
  name: 'pki drill',
  summary: 'rehearses the fall of an intermediate by the root’s list, and tells how long each step takes',
  options: {
    dir: {
      type: 'string',
      value: 'ROOT',
      help: 'directory of the root to take quorum and dates from; its key is not touched',
    },
    officers: { type: 'string', value: 'N', help: 'officers that approve without --dir (default 2)' },
  },
  notes: ['It works in a temporary directory that it removes. People and travel are not in these times.'],
  examples: ['holdfast pki drill --dir offline-root'],
  run: async (given, means) => {
    const place = textOf(given, 'dir');
    const form = place === null ? null : formIn(`${place}/root.json`, rootForm, means.files);
    const held = place === null ? null : await lastListEnd(place, means);
    const directory = means.pki.temporaryDirectory();
    try {
      const { steps, obeyed } = await rehearse(directory, form, countOf(given, 'officers', 1) ?? 2, means);
      const days = form?.crlDays ?? 365;
      const obey = secondOf(held ?? means.now() + days * DAY_MS);
      if (isSet(given, 'json')) means.print(JSON.stringify({ steps, obeyed, standardVerifiersBy: obey }));
      else {
        for (const line of columns(steps.map(({ step, ms }) => [step, `${ms.toFixed(1)} ms`])))
          means.print(line);
        means.print('our validators obey the trust list at once, without the root');
        means.print(`standard verifiers obey when they fetch the new list, by ${obey} at the latest`);
      }
      return obeyed ? ExitCode.done : ExitCode.fault;
    } finally {
      means.pki.forget(directory);
    }
  },
};

interface Step {
  readonly step: string;
  readonly ms: number;
}

async function rehearse(directory: string, form: RootForm | null, officerCount: number, means: Means) {
  const steps: Step[] = [];
  const timed = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    const begun = means.pki.monotonicMs();
    const result = await work();
    steps.push({ step, ms: means.pki.monotonicMs() - begun });
    return result;
  };
  const required = form?.quorum.required ?? officerCount;
  const stage = await timed(
    'make a root, two intermediates and a unit of each (not part of a real fall)',
    () => createStage(directory, { required, crlDays: form?.crlDays ?? 365 }, means),
  );
  try {
    const before = stage.judge(stage.firstList);
    const plan = await timed('plan the root’s list', async () => stage.plan());
    const approvals = await timed(`${required} officers approve it`, () => stage.approve(plan));
    const crl = await timed('the root keeps its intent, signs, and keeps the list', () =>
      stage.sign(plan, approvals),
    );
    const pem = fromText(toPem('X509 CRL', crl));
    await timed('publish the list', () => means.write(`${directory}/root.crl.pem`, pem));
    const after = await timed('verifiers judge both units by the new list', async () => stage.judge(crl));
    const obeyed =
      before.falling.length === 0 &&
      after.standing.length === 0 &&
      after.falling.length === 1 &&
      after.falling[0] === 'issuer-revoked';
    return { steps, obeyed };
  } finally {
    await stage.close();
  }
}

/** When verifiers that hold the last list must fetch the next; null where the root has none. */
async function lastListEnd(path: string, { pki }: Means): Promise<number | null> {
  const directory = await pki.openRoot(path);
  try {
    const lists = directory.entries.filter((one) => one.kind === 'crl');
    const crl = lists.at(-1)?.crl;
    return crl === undefined ? null : parseCrl(fromBase64(crl)).nextUpdateMs;
  } finally {
    await directory.close();
  }
}
