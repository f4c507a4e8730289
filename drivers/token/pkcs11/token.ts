/**
 * The gateway's token over PKCS#11: a process of its own does every key operation, and is replaced when it dies
 * or has served long enough. Channels die with their process; a channel's name never returns.
 */
import { randomBytes } from 'node:crypto';
import { asFault, Fault } from '../../../runtime/core/faults.ts';
import type { Token } from '../../../runtime/core/token.ts';
import {
  type ChannelLimits,
  channelLimits,
  type Verb,
  type VerbArguments,
  type VerbResult,
} from '../verbs.ts';
import { startTokenProcess, type TokenDeadlines, type TokenProcess, tokenDeadlines } from './process.ts';

export interface Pkcs11TokenOptions {
  /** Path of the PKCS#11 module. */
  readonly module: string;
  /** Label of the token; slots are never taken by number. */
  readonly label: string;
  readonly pinFile: string;
  readonly constantsFile: string;
  /** Configuration of SoftHSM, for its environment variable. */
  readonly softHsmConf?: string;
  /** Allows a token that computes in software. */
  readonly laboratory: boolean;
  readonly deadlines?: TokenDeadlines;
  readonly limits?: ChannelLimits;
  /** Channels after which the process is replaced: SoftHSM loses about 2.3 kB for each. */
  readonly recycleAfterChannels?: number;
  /** Told of what failed in the background: a process that could not be replaced. */
  readonly onFault?: (fault: Fault) => void;
}

const RECYCLE_AFTER_CHANNELS = 100_000;
/** How often a replaced process is looked at whether its last channel has gone. */
const RETIRE_CHECK_MS = 1_000;

/**
 * @throws Fault TOKEN_PIN_WRONG, TOKEN_UNAVAILABLE, KEY_POLICY_BROKEN, CONFIG_INVALID, FILE_UNREADABLE, HSM_FAILED
 */
export async function openPkcs11Token(options: Pkcs11TokenOptions): Promise<Token & AsyncDisposable> {
  const crew = createCrew(options);
  await crew.begin();
  const any = async <V extends Verb>(verb: V, ...input: VerbArguments<V>): Promise<VerbResult<V>> =>
    crew.current().call(verb, input);
  const on = async <V extends Verb>(
    channel: string,
    verb: V,
    ...input: VerbArguments<V>
  ): Promise<VerbResult<V>> => {
    const owner = crew.ownerOf(channel);
    if (owner === null) throw new Fault('DIALOGUE_LOST', { channel });
    return owner.call(verb, input);
  };
  return {
    describe: async () => crew.current().description,
    openChannel: async (keys) => {
      const opening = await any('openChannel', keys);
      crew.recycle();
      return opening;
    },
    authenticate: (channel, answer, aid) => on(channel, 'authenticate', channel, answer, aid),
    wrap: (channel, commands) => on(channel, 'wrap', channel, commands),
    wrapPutKey: (channel, put) => on(channel, 'wrapPutKey', channel, put),
    unwrap: (channel, answers) => on(channel, 'unwrap', channel, answers),
    closeChannel: async (channel) => crew.ownerOf(channel)?.call('closeChannel', [channel]),
    checkValues: (keys) => any('checkValues', keys),
    sign: (key, message) => any('sign', key, message),
    publicKey: (key) => any('publicKey', key),
    close: crew.end,
    [Symbol.asyncDispose]: crew.end,
  };
}

/** Faults after which no further process is started: another try could lock the token, or use a changed key. */
function isFinal(fault: Fault): boolean {
  return fault.code === 'TOKEN_PIN_WRONG' || fault.code === 'KEY_POLICY_BROKEN';
}

/** The process that takes new work, those that only finish their channels, and the one to come. */
function createCrew(options: Pkcs11TokenOptions) {
  const deadlines = options.deadlines ?? tokenDeadlines;
  const limits = options.limits ?? channelLimits;
  const retiring = new Map<string, TokenProcess>();
  let active: TokenProcess | null = null;
  /** Why no further process may be started. */
  let refusal: Fault | null = null;
  let closed = false;
  /** After a failed start the next one waits, also while another process serves. */
  let quietUntilMs = 0;
  /** The start of a process that is under way. */
  let starting: Promise<void> | null = null;
  let waitMs = deadlines.respawnMs;
  let respawn: NodeJS.Timeout | undefined;

  const begin = async (): Promise<void> => {
    const { module, label, pinFile, constantsFile, laboratory, softHsmConf } = options;
    const prefix = randomBytes(8).toString('hex');
    const start = { module, label, pinFile, constantsFile, laboratory, limits, prefix };
    const environment = softHsmConf === undefined ? {} : { SOFTHSM2_CONF: softHsmConf };
    const started = await startTokenProcess(start, environment, deadlines);
    if (closed) return started.stop();
    if (active !== null) retire(active);
    active = started;
    void started.gone.then(() => lose(started));
  };
  /** Starts one more process unless one is being started; a failure is reported and, with no other, tried again. */
  const renew = (): void => {
    if (closed || starting !== null || refusal !== null) return;
    starting = begin()
      .catch((error: unknown) => {
        const fault = asFault(error, 'HSM_FAILED');
        if (isFinal(fault)) refusal = fault;
        quietUntilMs = performance.now() + deadlines.respawnMsMax;
        options.onFault?.(fault);
      })
      .then(() => {
        starting = null;
        if (active === null) later();
      });
  };
  const later = (): void => {
    if (closed || refusal !== null) return;
    clearTimeout(respawn);
    respawn = setTimeout(renew, waitMs);
    waitMs = Math.min(2 * waitMs, deadlines.respawnMsMax);
  };
  const lose = (process: TokenProcess): void => {
    retiring.delete(process.prefix);
    if (active !== process) return;
    active = null;
    later();
  };
  const retire = (process: TokenProcess): void => {
    retiring.set(process.prefix, process);
    const since = performance.now();
    const timer = setInterval(() => {
      if (process.channels.open > 0 && performance.now() - since < limits.idleMs) return;
      clearInterval(timer);
      void process.stop();
    }, RETIRE_CHECK_MS);
    void process.gone.then(() => clearInterval(timer));
  };
  return {
    begin,
    current: (): TokenProcess => {
      if (active !== null) return active;
      if (refusal !== null) throw refusal;
      throw new Fault('HSM_FAILED', { reason: closed ? 'closed' : 'the token process is starting again' });
    },
    ownerOf: (channel: string): TokenProcess | null => {
      const prefix = channel.slice(0, channel.lastIndexOf('-'));
      return active?.prefix === prefix ? active : (retiring.get(prefix) ?? null);
    },
    /** After each channel opened: replaces a process that has served long enough, while it finishes its own. */
    recycle: (): void => {
      waitMs = deadlines.respawnMs;
      const after = options.recycleAfterChannels ?? RECYCLE_AFTER_CHANNELS;
      if (active !== null && active.channels.opened >= after && performance.now() >= quietUntilMs) renew();
    },
    end: async (): Promise<void> => {
      closed = true;
      clearTimeout(respawn);
      const all = [...retiring.values(), ...(active === null ? [] : [active])];
      active = null;
      await Promise.all([starting, ...all.map((process) => process.stop())]);
    },
  };
}
