/**
 * A token in this process: the same verbs over keys in memory, and the same bytes for the same seed. It can be
 * told to misbehave as a token's process does.
 */
import { type Bytes, concat, toHex } from '../../runtime/core/bytes.ts';
import { eidContext, eidKdfHeader, KeyIdentifier } from '../../runtime/core/card/eid-kdf.ts';
import { DerivationConstant, derivationBlock } from '../../runtime/core/card/scp03.ts';
import { CHECK_VALUE_BLOCK, CHECK_VALUE_BYTES } from '../../runtime/core/card/scp03-put-key.ts';
import { Fault, type FaultCode } from '../../runtime/core/faults.ts';
import type { Entropy } from '../../runtime/core/ports.ts';
import type { CheckValues, KeySet, Token } from '../../runtime/core/token.ts';
import { publicKeyOf, signMessage } from '../crypto/ecdsa.ts';
import { cbc, cbcDecrypt, cmacOf, ecb } from './software-aes.ts';
import { masterOf, type Vault, type VaultChannel } from './vault.ts';
import { type ChannelLimits, channelLimits, createVerbs, type Verb } from './verbs.ts';

export interface SimulatedTokenOptions {
  readonly entropy: Entropy;
  /** Masters of 32 bytes by their names: `transport-master`, `mdk-1`. */
  readonly masters: Readonly<Record<string, Bytes>>;
  /** Private scalars of 32 bytes by their names: `envelope`, `confirmation`, `issuer-line-1`. */
  readonly signingKeys: Readonly<Record<string, Bytes>>;
  /** Milliseconds for the idle time-out; without it no channel grows old. */
  readonly monotonicMs?: () => number;
  readonly limits?: ChannelLimits;
  readonly label?: string;
}

export interface SimulatedToken extends Token {
  /** The token's process dies and comes back: every channel is gone, and no name of one returns. */
  loseChannels(): void;
  /** The next verb, or the next `verb`, fails with `code` and does nothing. */
  failNext(code?: FaultCode, verb?: Verb): void;
}

export function createSimulatedToken(options: SimulatedTokenOptions): SimulatedToken {
  const vault = createSoftwareVault(options);
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
    openChannel: (keys) => call('openChannel', () => table.verbs.openChannel(keys)),
    openScratchChannel: (keyVersion) =>
      call('openScratchChannel', () => table.verbs.openScratchChannel(keyVersion)),
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

type Keys = readonly [enc: Bytes, mac: Bytes, dek: Bytes];

function createSoftwareVault({ entropy, masters, signingKeys, label }: SimulatedTokenOptions): Vault {
  const name = label ?? 'simulated';
  const setOf = (keys: KeySet): Keys => {
    const master = masters[masterOf(keys)];
    if (master === undefined) throw new Fault('CONFIG_INVALID', { master: masterOf(keys) });
    const cmac = cmacOf(master);
    const generation = keys.origin === 'transport' ? 0 : keys.generation;
    const key = (keyIdentifier: KeyIdentifier): Bytes =>
      cmac(
        concat(
          eidKdfHeader({ generation, keyVersion: keys.keyVersion, keyIdentifier, bits: 128 }),
          eidContext(keys.eid),
        ),
      );
    return [key(KeyIdentifier.enc), key(KeyIdentifier.mac), key(KeyIdentifier.dek)];
  };
  const signingKey = (key: string): Bytes => {
    const found = signingKeys[key];
    if (found === undefined) throw new Fault('CONFIG_INVALID', { key });
    return found;
  };
  const scratch = new WeakMap<VaultChannel, Keys>();
  const channelOf = ([enc, mac, dek]: Keys): VaultChannel => {
    const channel: VaultChannel = {
      derive: (context, message) => {
        scratch.delete(channel);
        return {
          keys: sessionKeys(enc, mac, context),
          challenge: message === null ? null : cmacOf(enc)(message),
        };
      },
      wrapKeys: (keys) => {
        const set = 'origin' in keys ? setOf(keys) : scratch.get(keys);
        if (set === undefined) throw new RangeError('no scratch channel, or one that is in use');
        const wrapped = (key: Bytes) => ({
          wrapped: cbc(dek, new Uint8Array(16), key),
          checkValue: checkValue(key),
        });
        return [wrapped(set[0]), wrapped(set[1]), wrapped(set[2])];
      },
      close: () => undefined,
    };
    return channel;
  };
  return {
    description: { softwareToken: true, module: 'simulated', label: name, serial: '0' },
    random: (count) => entropy.bytes(count),
    openChannel: (keys) => channelOf(setOf(keys)),
    openScratchChannel: () => {
      const drawn = [entropy.bytes(16), entropy.bytes(16), entropy.bytes(16)] as const;
      const channel = channelOf(drawn);
      scratch.set(channel, drawn);
      return channel;
    },
    checkValues: (keys) => setOf(keys).map((key) => toHex(checkValue(key))) as unknown as CheckValues,
    sign: (key, message) => signMessage(signingKey(key), message),
    publicKey: (key) => publicKeyOf(signingKey(key)),
  };
}

function sessionKeys(enc: Bytes, mac: Bytes, context: Bytes) {
  const [ofEnc, ofMac] = [cmacOf(enc), cmacOf(mac)];
  const block = (constant: DerivationConstant) => concat(derivationBlock(constant, 128), context);
  const sEnc = ofEnc(block(DerivationConstant.sEnc));
  return {
    mac: cmacOf(ofMac(block(DerivationConstant.sMac))),
    responseMac: cmacOf(ofMac(block(DerivationConstant.sRmac))),
    encryptBlock: (data: Bytes) => ecb(sEnc, data),
    encrypt: (iv: Bytes, data: Bytes) => cbc(sEnc, iv, data),
    decrypt: (iv: Bytes, data: Bytes) => cbcDecrypt(sEnc, iv, data),
  };
}

function checkValue(key: Bytes): Bytes {
  return ecb(key, CHECK_VALUE_BLOCK).subarray(0, CHECK_VALUE_BYTES);
}
