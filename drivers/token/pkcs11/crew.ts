/** The token processes of one gateway: the one that takes new work, and those that only finish their channels. */
import { randomBytes } from 'node:crypto';
import { Fault } from '../../../runtime/core/faults.ts';
import { channelLimits } from '../verbs.ts';
import { startTokenProcess, type TokenProcess, tokenDeadlines } from './process.ts';
import { createStarter } from './starter.ts';
import type { Pkcs11TokenOptions } from './token.ts';

/** 100,000 units of five channels: SoftHSM never frees some 250 bytes of every object that it made. */
const RECYCLE_AFTER_CHANNELS = 500_000;
/** A module that loses more than SoftHSM does is caught by this. */
const RECYCLE_AFTER_BYTES = 250 * 1024 * 1024;
/** How often a replaced process is looked at whether its last channel has gone. */
const RETIRE_CHECK_MS = 1_000;

/** Dialogues whose process is remembered; more than a gateway holds at a time. */
const DIALOGUES_MAX = 4_096;

export interface Crew {
  /** Starts the first process. */
  begin(): Promise<void>;
  /** The process that takes new work. @throws Fault HSM_FAILED, or why none may be started */
  current(): TokenProcess;
  /** The process that opens the channels of a dialogue: the one that opened its first, as long as it lives.
   * @throws Fault as `current` */
  serving(dialogue: string | undefined): TokenProcess;
  /** The process that a channel lives in; null when it died. */
  ownerOf(channel: string): TokenProcess | null;
  /** After each channel opened: replaces a process that has served long enough, while it finishes its own. */
  recycle(): void;
  end(): Promise<void>;
}

export function createCrew(options: Pkcs11TokenOptions): Crew {
  const deadlines = { ...tokenDeadlines, ...options.deadlines };
  const limits = options.limits ?? channelLimits;
  const retired = createRetirement(limits.idleMs);
  let active: TokenProcess | null = null;
  let closed = false;

  const hasServed = ({ channels }: TokenProcess): boolean =>
    channels.opened >= (options.recycleAfterChannels ?? RECYCLE_AFTER_CHANNELS) ||
    channels.grownBytes >= (options.recycleAfterBytes ?? RECYCLE_AFTER_BYTES);

  const begin = async (): Promise<void> => {
    const { module, label, pinFile, constantsFile, laboratory, softHsmConf } = options;
    const prefix = randomBytes(8).toString('hex');
    const { kdf = 'cbc-data' } = options;
    const start = { module, label, pinFile, constantsFile, kdf, laboratory, limits, prefix };
    const environment = softHsmConf === undefined ? {} : { SOFTHSM2_CONF: softHsmConf };
    const started = await startTokenProcess(start, environment, deadlines);
    if (closed) return started.stop();
    if (active !== null) retired.add(active);
    active = started;
    void started.gone.then(() => lose(started));
  };
  const starter = createStarter({
    start: begin,
    isServed: () => active !== null,
    deadlines,
    onFault: (fault) => options.onFault?.(fault),
  });
  const dialogues = new Map<string, TokenProcess>();
  const current = (): TokenProcess => {
    if (active !== null) return active;
    const refusal = starter.refusal();
    if (refusal !== null) throw refusal;
    throw new Fault('HSM_FAILED', { reason: closed ? 'closed' : 'the token process is starting again' });
  };
  const lose = (process: TokenProcess): void => {
    retired.remove(process);
    if (active !== process) return;
    active = null;
    starter.startLater();
  };
  return {
    begin,
    current,
    serving: (dialogue) => {
      if (dialogue === undefined) return current();
      const first = dialogues.get(dialogue);
      if (first !== undefined && (active === first || retired.of(first.prefix) === first)) return first;
      const process = current();
      remember(dialogues, dialogue, process);
      return process;
    },
    ownerOf: (channel) => {
      const prefix = channel.slice(0, channel.lastIndexOf('-'));
      return active?.prefix === prefix ? active : retired.of(prefix);
    },
    recycle: () => {
      starter.calm();
      if (active !== null && hasServed(active) && !starter.isQuiet()) starter.startNow();
    },
    end: async () => {
      closed = true;
      const begun = starter.end();
      const all = [...retired.all(), ...(active === null ? [] : [active])];
      active = null;
      await Promise.all([begun, ...all.map((process) => process.stop())]);
    },
  };
}

/** A dialogue that is forgotten here goes on, unless its process is replaced at that moment. */
function remember(dialogues: Map<string, TokenProcess>, dialogue: string, process: TokenProcess): void {
  dialogues.set(dialogue, process);
  const oldest = dialogues.keys().next();
  if (dialogues.size > DIALOGUES_MAX && oldest.done !== true) dialogues.delete(oldest.value);
}

/** Processes that take no new work: each is stopped when its last channel has gone or has idled too long. */
function createRetirement(idleMs: number) {
  const retiring = new Map<string, TokenProcess>();
  return {
    add: (process: TokenProcess): void => {
      retiring.set(process.prefix, process);
      const since = performance.now();
      const timer = setInterval(() => {
        const busy = process.channels.open > 0 || process.isAsked();
        if (busy && performance.now() - since < idleMs) return;
        clearInterval(timer);
        void process.stop();
      }, RETIRE_CHECK_MS);
      void process.gone.then(() => clearInterval(timer));
    },
    remove: (process: TokenProcess): void => {
      retiring.delete(process.prefix);
    },
    of: (prefix: string): TokenProcess | null => retiring.get(prefix) ?? null,
    all: (): readonly TokenProcess[] => [...retiring.values()],
  };
}
