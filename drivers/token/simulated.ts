/**
 * A token in this process: the same verbs over keys in memory, and the same bytes for the same seed. It can be
 * told to misbehave as a token's process does.
 */
import { toHex } from '../../runtime/core/bytes.ts';
import { Fault, type FaultCode } from '../../runtime/core/faults.ts';
import type { Entropy } from '../../runtime/core/ports.ts';
import type { Token } from '../../runtime/core/token.ts';
import { createSoftwareVault, type SoftwareKeys } from './software-vault.ts';
import { type ChannelLimits, channelLimits, createVerbs, type Verb } from './verbs.ts';

export interface SimulatedTokenOptions extends SoftwareKeys {
  readonly entropy: Entropy;
  /** Milliseconds for the idle time-out; without it no channel grows old. */
  readonly monotonicMs?: () => number;
  readonly limits?: ChannelLimits;
}

export interface SimulatedToken extends Token {
  /** The token's process dies and comes back: every channel is gone, and no name of one returns. */
  loseChannels(): void;
  /** The next verb, or the next `verb`, fails with `code` and does nothing. */
  failNext(code?: FaultCode, verb?: Verb): void;
}

export function createSimulatedToken(options: SimulatedTokenOptions): SimulatedToken {
  const vault = createSoftwareVault(options, options.entropy);
  const start = () =>
    createVerbs({
      vault,
      limits: options.limits ?? channelLimits,
      prefix: toHex(options.entropy.bytes(8)),
      monotonicMs: options.monotonicMs ?? (() => 0),
    });
  let table = start();
  let failure: { readonly code: FaultCode; readonly verb: Verb | undefined } | null = null;
  const call = async <Result>(verb: Verb, action: () => Result): Promise<Result> => {
    if (failure !== null && (failure.verb === undefined || failure.verb === verb)) {
      const { code } = failure;
      failure = null;
      throw new Fault(code, { verb, reason: 'simulated' });
    }
    return action();
  };
  return {
    describe: () => call('describe', () => table.verbs.describe()),
    openChannel: (keys, mode) => call('openChannel', () => table.verbs.openChannel(keys, mode)),
    openScratchChannel: (keyVersion, algorithm, mode) =>
      call('openScratchChannel', () => table.verbs.openScratchChannel(keyVersion, algorithm, mode)),
    authenticate: (channel, answer, aid) =>
      call('authenticate', () => table.verbs.authenticate(channel, answer, aid)),
    wrap: (channel, commands) => call('wrap', () => table.verbs.wrap(channel, commands)),
    wrapPutKey: (channel, put) => call('wrapPutKey', () => table.verbs.wrapPutKey(channel, put)),
    unwrap: (channel, answers) => call('unwrap', () => table.verbs.unwrap(channel, answers)),
    putKeyChains: (channel) => call('putKeyChains', () => table.verbs.putKeyChains(channel)),
    auditSession: (keys, session) => call('auditSession', () => table.verbs.auditSession(keys, session)),
    closeChannel: (channel) => call('closeChannel', () => table.verbs.closeChannel(channel)),
    checkValues: (keys) => call('checkValues', () => table.verbs.checkValues(keys)),
    sign: (key, message) => call('sign', () => table.verbs.sign(key, message)),
    publicKey: (key) => call('publicKey', () => table.verbs.publicKey(key)),
    close: async () => table.closeAll(),
    loseChannels: () => {
      table = start();
    },
    failNext: (code = 'HSM_FAILED', verb) => {
      failure = { code, verb };
    },
  };
}
