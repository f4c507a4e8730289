/** `holdfast enrol revoke`, `revoked` and `tell`: a station that is refused from its next request on. */
import { z } from 'zod';
import { Fault } from '../../core/faults.ts';
import {
  revokeStation,
  takeStationRevocations,
  tellStationRevocations,
} from '../../core/messages/station-revocation.ts';
import { ExitCode } from '../../program.ts';
import { type Command, usage } from '../command.ts';
import { needed } from '../given.ts';
import type { Means } from '../means.ts';

const APPROVALS_MAX = 16;
export const backendOption = {
  backend: { type: 'string', value: 'FILE', help: 'backend.json, on the machine where the backend runs' },
} as const;

export const enrolRevokeCommand: Command = {
  name: 'enrol revoke',
  summary: 'revokes a station at the backend, under approvals, for ever; prints the list for the gateways',
  operands: 'STATION APPROVAL...',
  operandsMax: 1 + APPROVALS_MAX,
  options: {
    ...backendOption,
    reason: { type: 'string', value: 'TEXT', help: 'as the officers approved it' },
  },
  notes: [
    'The backend refuses the station’s next request. Take the list to a gateway of each HSM (enrol tell), and let the bus',
    'authority put the certificate on its list (enrol crl --revoke).',
  ],
  examples: [
    'holdfast enrol revoke station-1 ada.approval bob.approval --reason stolen --backend backend.json > stations.jws',
  ],
  run: async (given, means) => {
    const [station, ...files] = given.operands;
    if (station === undefined) throw usage('say which station, and the files of the approvals');
    const reason = needed(given, 'reason', 'as the officers approved it');
    const socket = socketIn(needed(given, 'backend', 'backend.json'), means);
    const approvals = files.map((file) => means.files.read(file).trim());
    const { list, number, since } = await means.instruct(socket, revokeStation, {
      station,
      reason,
      approvals,
    });
    means.print(list);
    means.talk(`${station} is refused since ${since}; list ${number} is for the gateways`);
    return ExitCode.done;
  },
};

export const enrolRevokedCommand: Command = {
  name: 'enrol revoked',
  summary: 'prints the backend’s list of revoked and enrolled stations, for the gateways',
  options: { ...backendOption },
  examples: ['holdfast enrol revoked --backend backend.json > stations.jws'],
  run: async (given, means) => {
    const socket = socketIn(needed(given, 'backend', 'backend.json'), means);
    const { list, number } = await means.instruct(socket, tellStationRevocations, {});
    means.print(list);
    means.talk(`list ${number}`);
    return ExitCode.done;
  },
};

export const enrolTellCommand: Command = {
  name: 'enrol tell',
  summary: 'gives a gateway the list of stations; the others of its HSM learn it by their ledger',
  operands: 'LIST',
  operandsMax: 1,
  options: {
    gateway: { type: 'string', value: 'FILE', help: 'gateway.json, on the machine where the gateway runs' },
  },
  examples: ['holdfast enrol tell stations.jws --gateway gateway.json'],
  run: async (given, means) => {
    const [file] = given.operands;
    if (file === undefined) throw usage('say which list');
    const socket = socketIn(needed(given, 'gateway', 'gateway.json'), means);
    const list = means.files.read(file).trim();
    const { number, stations, enrolled } = await means.instruct(socket, takeStationRevocations, { list });
    const refused = `${stations.join(', ') || 'nobody'} refused`;
    const believed = enrolled.length === 0 ? '' : `; ${enrolled.join(', ')} enrolled`;
    means.talk(`list ${number} is in force: ${refused}${believed}`);
    return ExitCode.done;
  },
};

const socketForm = z.object({ instructionSocket: z.string().min(1) });

/** @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
export function socketIn(file: string, means: Means): string {
  try {
    return socketForm.parse(JSON.parse(means.files.read(file))).instructionSocket;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw new Fault('CONFIG_INVALID', { file, why: 'instructionSocket is missing' }, { cause: error });
    throw error;
  }
}
