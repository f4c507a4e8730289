/**
 * One token process as the gateway sees it: requests in order, a deadline for each, and its death as a fault for
 * all that wait.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { Fault, type FaultNote } from '../../../runtime/core/faults.ts';
import type { TokenDescription } from '../../../runtime/core/token.ts';
import type { Verb, VerbArguments, VerbResult } from '../verbs.ts';
import type { Reply, Request, StartRequest, VerbAnswer, VerbRequest } from './protocol.ts';

export interface TokenDeadlines {
  /** From fork to ready: module, log-in, audit and self test. */
  readonly startMs: number;
  /** One verb. A blocked PKCS#11 call cannot be cancelled: the process is killed. */
  readonly callMs: number;
  /** From the request to stop to the end. */
  readonly stopMs: number;
  /** Wait before a dead process is replaced; doubled at each further death, up to `respawnMsMax`. */
  readonly respawnMs: number;
  readonly respawnMsMax: number;
}
export const tokenDeadlines: TokenDeadlines = {
  startMs: 20_000,
  callMs: 10_000,
  stopMs: 3_000,
  respawnMs: 200,
  respawnMsMax: 10_000,
};

/** Verbs that may wait for one process. */
const WAITING_MAX = 1024;

export interface TokenProcess {
  readonly prefix: string;
  readonly description: TokenDescription;
  /** Channels open after the last answer, how many it has opened in its life, and what memory that has cost. */
  readonly channels: { open: number; opened: number; grownBytes: number };
  call<V extends Verb>(verb: V, input: VerbArguments<V>): Promise<VerbResult<V>>;
  /** Whether something waits for its answer. */
  isAsked(): boolean;
  /** Settles when the process is gone, for whatever reason. */
  readonly gone: Promise<void>;
  stop(): Promise<void>;
}

interface Waiting {
  readonly verb: Verb;
  readonly resolve: (result: never) => void;
  readonly reject: (fault: Fault) => void;
}

/**
 * Starts a token process and waits until it has proved that its keys are what the policy says.
 * @throws Fault TOKEN_PIN_WRONG, TOKEN_UNAVAILABLE, KEY_POLICY_BROKEN, CONFIG_INVALID, FILE_UNREADABLE, HSM_FAILED
 */
export async function startTokenProcess(
  start: StartRequest,
  environment: Readonly<Record<string, string>>,
  deadlines: TokenDeadlines,
): Promise<TokenProcess> {
  const child = fork(new URL('./child.js', import.meta.url), {
    serialization: 'advanced',
    env: { ...process.env, ...environment },
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve()); // It never started; `started` below reports that.
  });
  const description = await started(child, start, deadlines.startMs);
  const channels = { open: 0, opened: 0, grownBytes: 0 };
  const { call, failAll, isAsked } = createCalls(child, deadlines.callMs, channels);
  void gone.then(() => failAll('the token process ended'));
  return {
    prefix: start.prefix,
    description,
    channels,
    gone,
    isAsked,
    call,
    stop: async () => {
      const killer = setTimeout(() => child.kill('SIGKILL'), deadlines.stopMs);
      if (child.connected) send(child, { kind: 'stop' });
      await gone;
      clearTimeout(killer);
    },
  };
}

/** Sends the start and waits for the verdict on it. */
function started(child: ChildProcess, start: StartRequest, deadlineMs: number): Promise<TokenDescription> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      child.removeAllListeners('message');
      child.off('exit', onExit);
      child.off('error', onError);
      finish();
    };
    const refuse = (fault: Fault): void =>
      settle(() => {
        child.kill('SIGKILL');
        reject(fault);
      });
    const onExit = (): void =>
      refuse(new Fault('HSM_FAILED', { reason: 'the token process ended at start' }));
    const onError = (cause: Error): void => refuse(new Fault('HSM_FAILED', {}, { cause }));
    const timer = setTimeout(
      () => refuse(new Fault('HSM_FAILED', { reason: 'deadline', deadlineMs })),
      deadlineMs,
    );
    child.once('exit', onExit);
    child.on('error', onError);
    child.on('message', (reply: Reply) => {
      if (reply.kind === 'ready') settle(() => resolve(reply.description));
      if (reply.kind === 'refused') refuse(faultOf(reply.fault));
    });
    send(child, { kind: 'start', start });
  });
}

/** Requests under way. The process answers in order, so one deadline watches the oldest of them. */
function createCalls(child: ChildProcess, deadlineMs: number, channels: TokenProcess['channels']) {
  const waiting = new Map<number, Waiting>();
  let asked: VerbRequest<Verb>[] = [];
  let next = 0;
  const ask = (): void => {
    const verbs = asked;
    asked = [];
    send(child, { kind: 'verbs', verbs });
  };
  let timer: NodeJS.Timeout | undefined;
  const failAll = (reason: string): void => {
    clearTimeout(timer);
    for (const { reject } of waiting.values()) reject(new Fault('HSM_FAILED', { reason }));
    waiting.clear();
  };
  const watch = (): void => {
    clearTimeout(timer);
    if (waiting.size === 0) return;
    timer = setTimeout(() => {
      child.kill('SIGKILL');
      failAll(`no answer within ${deadlineMs} ms`);
    }, deadlineMs);
  };
  const call = <V extends Verb>(verb: V, input: VerbArguments<V>): Promise<VerbResult<V>> =>
    new Promise((resolve, reject) => {
      if (!child.connected) return reject(new Fault('HSM_FAILED', { reason: 'the token process ended' }));
      if (waiting.size >= WAITING_MAX)
        return reject(new Fault('HSM_FAILED', { reason: 'too many requests' }));
      const id = ++next;
      waiting.set(id, { verb, resolve, reject });
      if (waiting.size === 1) watch();
      if (asked.push({ id, verb, input }) === 1) queueMicrotask(ask);
      return undefined;
    });
  const take = (answer: VerbAnswer): void => {
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('fault' in answer) waiter?.reject(faultOf(answer.fault));
    else {
      if (waiter?.verb === 'openChannel' || waiter?.verb === 'openScratchChannel') channels.opened++;
      waiter?.resolve(answer.result as never);
    }
  };
  child.on('message', (reply: Reply) => {
    if (reply.kind !== 'answers') return;
    channels.open = reply.open;
    channels.grownBytes = reply.grownBytes;
    for (const answer of reply.answers) take(answer);
    watch();
  });
  return { call, failAll, isAsked: () => waiting.size > 0 };
}

/** A send that fails is seen as the end of the process, which fails everything that waits. */
function send(child: ChildProcess, request: Request): void {
  child.send(request, (error) => {
    if (error !== null) child.kill('SIGKILL');
  });
}

function faultOf({ code, context }: FaultNote): Fault {
  return new Fault(code, context);
}
