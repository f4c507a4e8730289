/**
 * The gateway's token over PKCS#11: a process of its own does every key operation, and is replaced when it dies
 * or has served long enough. Channels die with their process; a channel's name never returns.
 */
import { Fault } from '../../../runtime/core/faults.ts';
import type { Kdf } from '../../../runtime/core/key-policy.ts';
import type { Token } from '../../../runtime/core/token.ts';
import type { ChannelLimits, Verb, VerbArguments, VerbResult } from '../verbs.ts';
import { createCrew } from './crew.ts';
import type { TokenDeadlines } from './process.ts';

export interface Pkcs11TokenOptions {
  /** Path of the PKCS#11 module. */
  readonly module: string;
  /** Label of the token; slots are never taken by number. */
  readonly label: string;
  readonly pinFile: string;
  readonly constantsFile: string;
  /** How the fleet's keys are derived; `cbc-data`, which every module has, by default. */
  readonly kdf?: Kdf;
  /** Configuration of SoftHSM, for its environment variable. */
  readonly softHsmConf?: string;
  /** Allows a token that computes in software. */
  readonly laboratory: boolean;
  /** Those that differ from the default. */
  readonly deadlines?: Partial<TokenDeadlines>;
  readonly limits?: ChannelLimits;
  /** Channels after which the process is replaced, whatever memory it has. */
  readonly recycleAfterChannels?: number;
  /** Growth of its memory after which it is replaced. */
  readonly recycleAfterBytes?: number;
  /** Told of what failed in the background: a process that could not be replaced. */
  readonly onFault?: (fault: Fault) => void;
}

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
    openChannel: async (keys, mode, dialogue) => {
      const opening = await crew.serving(dialogue).call('openChannel', [keys, mode]);
      crew.recycle();
      return opening;
    },
    openScratchChannel: async (keyVersion, algorithm, mode, dialogue) => {
      const opening = await crew.serving(dialogue).call('openScratchChannel', [keyVersion, algorithm, mode]);
      crew.recycle();
      return opening;
    },
    authenticate: (channel, answer, aid) => on(channel, 'authenticate', channel, answer, aid),
    wrap: (channel, commands) => on(channel, 'wrap', channel, commands),
    wrapPutKey: (channel, put) => on(channel, 'wrapPutKey', channel, put),
    unwrap: (channel, answers) => on(channel, 'unwrap', channel, answers),
    putKeyChains: (channel) => on(channel, 'putKeyChains', channel),
    auditSession: (keys, session) => any('auditSession', keys, session),
    closeChannel: async (channel) => crew.ownerOf(channel)?.call('closeChannel', [channel]),
    checkValues: (keys) => any('checkValues', keys),
    sign: (key, message) => any('sign', key, message),
    publicKey: (key) => any('publicKey', key),
    close: crew.end,
    [Symbol.asyncDispose]: crew.end,
  };
}
