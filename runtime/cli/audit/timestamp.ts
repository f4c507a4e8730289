/**
 * `holdfast audit timestamp`: the newest checkpoint is stamped by a time-stamping authority, and the answer kept in the log.
 * The way to the authority is the plant's own: request and answer are files.
 */
import { fromText, toBase64 } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { timestampRequest } from '../../core/log/timestamp.ts';
import { keepTimestampInstruction } from '../../core/messages/timestamp.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet, usage } from '../command.ts';
import { databaseOptions, openFleetOf } from '../fleet/place.ts';
import { needed } from '../given.ts';
import { socketOf, socketOptions } from '../program-place.ts';

const NONCE_BYTES = 8;

export const timestampRequestCommand: Command = {
  name: 'audit timestamp request',
  summary: 'writes the newest checkpoint, and the request to have it stamped',
  options: {
    ...databaseOptions,
    to: { type: 'string', value: 'NAME', help: 'writes NAME.checkpoint and NAME.tsq' },
  },
  notes: [
    'An authority answers as RFC 3161 says, over HTTP or by hand; openssl ts -verify judges its answer.',
  ],
  examples: ['holdfast audit timestamp request --dir var/line --to 2026-11'],
  run: async (given, means) => {
    const name = needed(given, 'to', 'how the files are named');
    await using fleet = await openFleetOf(given, means);
    const { checkpoint, size } = await fleet.read((view) => view.readHead());
    if (size === 0) throw usage('the log is empty: there is nothing to stamp yet');
    const note = fromText(checkpoint);
    const request = timestampRequest(means.crypto.sha256(note), means.ceremony.random(NONCE_BYTES));
    await means.write(`${name}.checkpoint`, note);
    await means.write(`${name}.tsq`, request);
    const written = { size, checkpoint: `${name}.checkpoint`, request: `${name}.tsq` };
    means.print(isSet(given, 'json') ? JSON.stringify(written) : `${written.checkpoint}\n${written.request}`);
    means.talk(
      `Send ${name}.tsq to the authority; then: holdfast audit timestamp keep --of ${name} --answer FILE`,
    );
    return ExitCode.done;
  },
};

export const timestampKeepCommand: Command = {
  name: 'audit timestamp keep',
  summary: 'has the backend keep an authority’s answer as a leaf of the log',
  options: {
    ...socketOptions,
    of: { type: 'string', value: 'NAME', help: 'as it was requested: NAME.checkpoint was stamped' },
    answer: { type: 'string', value: 'FILE', help: 'what the authority answered: TimeStampResp, DER' },
  },
  examples: ['holdfast audit timestamp keep --dir var/line --of 2026-11 --answer 2026-11.tsr'],
  run: async (given, means) => {
    const name = needed(given, 'of', 'what was stamped');
    const path = needed(given, 'answer', 'what the authority answered');
    const der = await means.ceremony.shelf.read(path);
    if (der === null) throw new Fault('FILE_UNREADABLE', { file: path });
    const answer = toBase64(der);
    const checkpoint = means.files.read(`${name}.checkpoint`);
    const socket = socketOf('backend', given, means);
    const kept = await means.instruct(socket, keepTimestampInstruction, { checkpoint, answer });
    if (isSet(given, 'json')) means.print(JSON.stringify(kept));
    else means.print(`${kept.size} leaves, stamped ${kept.stampedAt}: kept as leaf ${kept.leafIndex}`);
    return ExitCode.done;
  },
};
