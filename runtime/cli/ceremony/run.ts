/** `holdfast ceremony run`: carries out an approved plan, and goes on with one that was interrupted. */
import { verifyRecord } from '../../core/ceremony/verification.ts';
import { ExitCode } from '../../program.ts';
import { officerOptions, openOfficer } from '../approval.ts';
import { type Arguments, type Command, isSet, listOf, usage } from '../command.ts';
import { needed } from '../given.ts';
import { conduct, RECORD_FILE } from './conduct.ts';
import { jwsIn, planIn, tokenIn, trustedIn, trustedOption } from './given.ts';
import { recordLines } from './lines.ts';

export const ceremonyRunCommand: Command = {
  name: 'ceremony run',
  summary: 'carries out an approved plan in the HSM room; goes on with one that was interrupted',
  operands: 'FILE',
  operandsMax: 1,
  options: {
    record: {
      type: 'string',
      value: 'DIR',
      help: 'directory of the record: intents, steps, backups, the record',
    },
    token: { type: 'string', value: 'FILE', help: 'JSON that says where the token is: module, pinFile' },
    approval: { type: 'string', value: 'FILE', help: 'an officer’s approval; once for each', multiple: true },
    component: {
      type: 'string',
      value: 'NAME=FILE',
      help: 'file of a custodian’s component, mode 0600; whoever is not named types it, unseen',
      multiple: true,
    },
    ...trustedOption,
    ...officerOptions,
  },
  notes: [
    'The officer of --officer conducts the ceremony and signs its record.',
    'Run again with the same directory after any interruption: what is done is recognised, not done twice.',
  ],
  examples: [
    'holdfast ceremony run masters.json --record masters --token hsm.json --trusted officers.json ' +
      '--approval ada.jws --approval bob.jws --officer ada --key ada.key',
  ],
  run: async (given, means) => {
    const plan = planIn(given, means);
    const directory = needed(given, 'record', 'where the record is kept');
    const place = tokenIn(given, plan, means);
    const trusted = trustedIn(given, means);
    const approvals = listOf(given, 'approval').map((path) => jwsIn(path, means));
    const name = needed(given, 'officer', 'who conducts the ceremony');
    const componentFiles = filesOfComponents(given);
    await using signer = await openOfficer(given, means);
    await using token = await means.ceremony.openToken(place);
    const jws = await conduct({
      plan,
      approvals,
      trusted,
      conductor: { name, signer },
      token,
      shelf: means.ceremony.shelf,
      directory,
      componentFiles,
      crypto: means.crypto,
      now: () => means.now(),
      tell: (line) => means.talk(line),
    });
    const verified = verifyRecord(jws, trusted, means.crypto);
    if (isSet(given, 'json')) means.print(JSON.stringify({ record: verified.record, jws }));
    else for (const line of recordLines(verified, jws, means)) means.print(line);
    means.talk(
      `the record is ${directory}/${RECORD_FILE}; let the others countersign it: holdfast ceremony witness`,
    );
    return ExitCode.done;
  },
};

/** @throws Fault USAGE */
function filesOfComponents(given: Arguments): ReadonlyMap<string, string> {
  return new Map(
    listOf(given, 'component').map((text) => {
      const [, name, file] = /^([a-z0-9-]{1,32})=(.+)$/.exec(text) ?? [];
      if (name === undefined || file === undefined) throw usage(`--component takes NAME=FILE, not ${text}`);
      return [name, file] as const;
    }),
  );
}
