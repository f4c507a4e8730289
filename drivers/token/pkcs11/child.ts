/**
 * The token's process: the only one with the PIN and with key handles. It answers verbs one after the other and
 * ends when the gateway goes away, or when the state of the module cannot be relied on.
 */
import { asFault, Fault, type FaultNote, isFault, noteOf } from '../../../runtime/core/faults.ts';
import { type ChannelTable, createVerbs, type Verb } from '../verbs.ts';
import { readConstants } from './constants.ts';
import { describe, findSlot, isFatal, loadModule, logIn } from './cryptoki.ts';
import type { Reply, Request, StartRequest, VerbAnswer, VerbRequest } from './protocol.ts';
import { openVault } from './vault.ts';

/** Longest time between an idle channel's end and its closing. */
const SWEEP_MS = 5_000;
/** Answers between two looks at the memory, which cost a system call. */
const WEIGHED_EVERY = 64;

let table: ChannelTable | null = null;
let readyBytes = 0;
let grownBytes = 0;
let answered = 0;

// The gateway decides when this process ends: a signal to the whole group must not cut a dialogue in the middle.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', end);
process.on('message', (request: Request) => {
  switch (request.kind) {
    case 'start':
      return start(request.start);
    case 'verbs':
      return answerAll(request.verbs);
    case 'stop':
      return end();
  }
});

function start(request: StartRequest): void {
  try {
    const cryptoki = loadModule(request.module);
    const slot = findSlot(cryptoki, request.label);
    const description = describe(cryptoki, slot);
    if (description.softwareToken && !request.laboratory)
      throw new Fault('TOKEN_UNAVAILABLE', { label: request.label, reason: 'a software token' });
    const constants = readConstants(request.constantsFile);
    const session = logIn(cryptoki, slot, request.pinFile);
    const vault = openVault({ cryptoki, slot, session, constants, kdf: request.kdf });
    const { limits, prefix } = request;
    table = createVerbs({ vault, limits, prefix, monotonicMs: () => performance.now() });
    readyBytes = process.memoryUsage.rss();
    setInterval(table.sweep, SWEEP_MS);
    reply({ kind: 'ready', description });
  } catch (error) {
    reply({ kind: 'refused', fault: note(error) }, () => process.exit(1));
  }
}

/** One after the other, also after one that failed: what follows on a broken channel fails by itself. */
function answerAll(verbs: readonly VerbRequest<Verb>[]): void {
  const answers: VerbAnswer[] = [];
  let fatal = false;
  for (const { id, verb, input } of verbs) {
    try {
      if (table === null) throw new RangeError('not started');
      const call = table.verbs[verb] as (...input: readonly unknown[]) => never;
      answers.push({ id, result: call(...input) });
    } catch (error) {
      answers.push({ id, fault: note(error) });
      fatal = isFatal(error);
    }
    if (fatal) break;
  }
  answered += 1;
  if (answered % WEIGHED_EVERY === 0) grownBytes = process.memoryUsage.rss() - readyBytes;
  const all: Reply = { kind: 'answers', answers, open: table?.open() ?? 0, grownBytes };
  if (fatal) reply(all, () => process.exit(1));
  else reply(all);
}

/** Texts of unforeseen errors are not passed on, except those of our own range checks: they hold no secret. */
function note(error: unknown): FaultNote {
  if (isFault(error)) return noteOf(error);
  const reason = error instanceof RangeError ? error.message : 'unforeseen';
  return noteOf(asFault(error, 'UNEXPECTED', { reason }));
}

/** When the channel is gone there is nobody left to tell. */
function reply(message: Reply, sent: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, undefined, sent);
  else end();
}

/** Closing the sessions destroys every session key; the process's end does the same when it fails. */
function end(): void {
  try {
    table?.closeAll();
  } finally {
    process.exit(0);
  }
}
