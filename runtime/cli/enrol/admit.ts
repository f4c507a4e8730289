/** `holdfast enrol admit`: backend and gateways believe a station's keys from its next request on; nothing is restarted. */
import { enrolStation } from '../../core/messages/station-enrolment.ts';
import { ExitCode } from '../../program.ts';
import { type Command, usage } from '../command.ts';
import { needed } from '../given.ts';
import { backendOption, socketIn } from './revoke.ts';

const APPROVALS_MAX = 16;

export const enrolAdmitCommand: Command = {
  name: 'enrol admit',
  summary: 'makes the backend believe a station’s keys, under approvals; prints the list for the gateways',
  operands: 'REQUEST APPROVAL...',
  operandsMax: 1 + APPROVALS_MAX,
  options: { ...backendOption },
  notes: [
    'For a new station, and for one whose token was exchanged: the key that it had is believed no longer. A renewal keeps',
    'both keys and needs nothing here. Approvals are those of enrol approve, the same as for enrol sign --judge.',
    'Take the list to a gateway of each HSM (enrol tell).',
  ],
  examples: [
    'holdfast enrol admit station-9.request ada.approval bob.approval --backend backend.json > stations.jws',
  ],
  run: async (given, means) => {
    const [file, ...files] = given.operands;
    if (file === undefined) throw usage('say which request, and the files of the approvals');
    const socket = socketIn(needed(given, 'backend', 'backend.json'), means);
    const request = means.files.read(file).trim();
    const approvals = files.map((path) => means.files.read(path).trim());
    const { list, number, since } = await means.instruct(socket, enrolStation, { request, approvals });
    means.print(list);
    means.talk(`believed since ${since}; list ${number} is for the gateways`);
    return ExitCode.done;
  },
};
