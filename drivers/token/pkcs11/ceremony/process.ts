/** A PKCS#11 token in a ceremony: a process of its own holds the PIN, and every verb has a deadline. */
import { type ChildProcess, fork } from 'node:child_process';
import type { CeremonyToken } from '../../../../runtime/core/ceremony/token.ts';
import { Fault } from '../../../../runtime/core/faults.ts';
import type { Kdf } from '../../../../runtime/core/key-policy.ts';
import type {
  CeremonyReply,
  CeremonyRequest,
  CeremonyStart,
  CeremonyVerb,
  VerbInput,
  VerbResult,
} from './protocol.ts';

export interface CeremonyTokenOptions extends Omit<CeremonyStart, 'kdf'> {
  /** `cbc-data` by default. */
  readonly kdf?: Kdf;
  /** Configuration of SoftHSM, for its environment variable; null for other modules. */
  readonly softHsmConf: string | null;
}

const START_MS = 30_000;
/** An RSA key pair takes a token its time; custodians type for up to ten minutes each. */
const CALL_MS = 3_600_000;

/** @throws Fault TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG, FILE_UNREADABLE, HSM_FAILED */
export async function openPkcs11CeremonyToken(
  options: CeremonyTokenOptions,
): Promise<CeremonyToken & AsyncDisposable> {
  const { softHsmConf, kdf = 'cbc-data', ...place } = options;
  const start = { ...place, kdf };
  const child = fork(new URL('./child.js', import.meta.url), {
    serialization: 'advanced',
    env: { ...process.env, ...(softHsmConf === null ? {} : { SOFTHSM2_CONF: softHsmConf }) },
    execArgv: [],
  });
  const begun = await ask(child, { kind: 'start', start }, START_MS).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  if (begun.kind !== 'ready')
    throw new Fault('HSM_FAILED', { reason: 'the token process answered nonsense' });
  const call = async <V extends CeremonyVerb>(verb: V, ...input: VerbInput<V>): Promise<VerbResult<V>> => {
    const reply = await ask(child, { kind: 'verb', verb, input }, CALL_MS);
    if (reply.kind !== 'result')
      throw new Fault('HSM_FAILED', { reason: 'the token process answered nonsense' });
    return reply.result as VerbResult<V>;
  };
  const close = (): Promise<void> => ended(child);
  return {
    describe: async () => begun.description,
    readKey: (label) => call('readKey', label),
    generate: (label) => call('generate', label),
    wrapNewborn: (under) => call('wrapNewborn', under),
    wrapNewbornPair: (...input) => call('wrapNewbornPair', ...input),
    unwrapPair: (...input) => call('unwrapPair', ...input),
    join: (...input) => call('join', ...input),
    unwrap: (...input) => call('unwrap', ...input),
    writeConstants: (file, keyVersions) => call('writeConstants', file, keyVersions),
    writeTagKey: (file) => call('writeTagKey', file),
    carryTagKey: (cargo, recipients) => call('carryTagKey', cargo, recipients),
    audit: () => call('audit'),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** One request at a time: the ceremony waits for each answer. A blocked PKCS#11 call cannot be cancelled. */
function ask(child: ChildProcess, request: CeremonyRequest, deadlineMs: number): Promise<CeremonyReply> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      child.off('message', take).off('exit', gone).off('error', gone);
      finish();
    };
    const refuse = (fault: Fault): void => settle(() => reject(fault));
    const take = (reply: CeremonyReply): void =>
      settle(() =>
        reply.kind === 'failed' ? reject(new Fault(reply.fault.code, reply.fault.context)) : resolve(reply),
      );
    const gone = (): void => refuse(new Fault('HSM_FAILED', { reason: 'the token process ended' }));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      refuse(new Fault('HSM_FAILED', { reason: 'deadline', deadlineMs }));
    }, deadlineMs);
    child.on('message', take).once('exit', gone).once('error', gone);
    if (child.connected) child.send(request, (error) => (error === null ? undefined : gone()));
    else gone();
  });
}

/** The end of the channel ends the process; its sessions, and what is only in them, go with it. */
function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const killer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    child.once('exit', () => {
      clearTimeout(killer);
      resolve();
    });
    if (child.connected) child.disconnect();
    return undefined;
  });
}

/** From the end of the channel to the end of the process. */
const END_MS = 3_000;
