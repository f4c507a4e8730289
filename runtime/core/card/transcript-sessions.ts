/** The SCP03 sessions of a kept transcript, each as a token can judge it again. */
import { type Bytes, fromHex, toHex } from '../bytes.ts';
import type { KeySet } from '../token.ts';
import { exchangeOf, joinFrames, MORE_FRAMES } from './apdu.ts';
import type { RecordedExchange, RecordedSession } from './scp03-audit.ts';
import { StatusWord } from './status-word.ts';
import type { KeptAction, Transcript } from './transcript-form.ts';

export interface FoundSession {
  /** Name of the list in which it was begun. */
  readonly list: string;
  readonly keyVersion: number;
  /** Null where nobody keeps the keys: those of a scratch set. */
  readonly keys: KeySet | null;
  /** Whether the chip answered INITIALIZE UPDATE with success. */
  readonly answered: boolean;
  readonly session: RecordedSession;
}

type KeptCommand = Extract<KeptAction, { readonly kind: 'command' }>;
type Growing = Omit<FoundSession, 'session'> & {
  readonly session: { -readonly [Field in keyof RecordedSession]: RecordedSession[Field] } & {
    exchanges: RecordedExchange[];
  };
};

/** INITIALIZE UPDATE and EXTERNAL AUTHENTICATE. Amendment D section 7.1. SELECT: ISO/IEC 7816-4 section 11.2. */
const INITIALIZE_UPDATE = '8050';
const EXTERNAL_AUTHENTICATE = '8482';
const SELECT = '00a4';
const PUT_KEY = 'd8';
const ACKNOWLEDGED = '9000';
const MASK = /\{sha256:([0-9a-f]{64})\}/;

/** In their order. @throws RangeError when protected commands stand outside a session, or chaining values are missing */
export function sessionsOf({ lists, eid, judged }: Transcript): readonly FoundSession[] {
  const sessions: Growing[] = [];
  const chains = [...judged.putKeyChains];
  let aid: Bytes = new Uint8Array(0);
  let current: Growing | null = null;
  let parts: Bytes[] = [];
  for (const { name, actions } of lists)
    for (const action of actions) {
      if (action.kind === 'cold-reset') {
        current = null;
        continue;
      }
      const { command } = action;
      if (command.startsWith(INITIALIZE_UPDATE)) {
        const keyVersion = fromHex(command.slice(4, 6))[0] ?? 0;
        const keys = keySetOf(keyVersion, eid, judged.keys);
        current = begun(name, { keyVersion, keys }, aid, action);
        sessions.push(current);
      } else if (command.startsWith(SELECT)) {
        aid = dataOf(command);
        current = null;
      } else if (command.startsWith(EXTERNAL_AUTHENTICATE)) {
        demand(current).session.externalAuthenticate = fromHex(command);
      } else if (isProtected(command)) {
        const session = demand(current);
        if (isPart(action)) {
          parts.push(fromHex(command));
          continue;
        }
        const put = putBy(session, action, eid, judged.keys);
        session.session.exchanges.push(recorded(session, action, { chains, put, parts }));
        parts = [];
      }
    }
  if (chains.length > 0) throw new RangeError('more chaining values than PUT KEY commands');
  return sessions;
}

function begun(
  list: string,
  of: Pick<FoundSession, 'keyVersion' | 'keys'>,
  aid: Bytes,
  action: KeptCommand,
): Growing {
  const initialized = answerOf(action);
  const [high = 0, low = 0] = initialized.subarray(-2);
  return {
    list,
    ...of,
    answered: (high << 8) + low === StatusWord.success,
    session: {
      aid,
      hostChallenge: dataOf(action.command),
      initialized,
      externalAuthenticate: null,
      exchanges: [],
    },
  };
}

/** P1 of PUT KEY is 00 where a set is added. GPCS 2.3.1 section 11.8.2.1. */
function replacesIn(command: string): boolean {
  return command.slice(4, 6) !== '00';
}

/** Under the transport set the fleet's is added; under the fleet's the same again, or a scratch set is added. */
function putBy(
  { keys }: Growing,
  { command }: KeptCommand,
  eid: string,
  judged: Transcript['judged']['keys'],
): KeySet | null {
  const isFleets = keys?.origin === 'transport' || replacesIn(command);
  return isFleets ? keySetOf(judged.fleet.keyVersion, eid, judged) : null;
}

function recorded(
  { session: { hostChallenge } }: Growing,
  action: KeptCommand,
  {
    chains,
    put: keys,
    parts,
  }: { readonly chains: string[]; readonly put: KeySet | null; readonly parts: readonly Bytes[] },
): RecordedExchange {
  const answer = answerOf(action);
  if (action.command.slice(2, 4) !== PUT_KEY)
    return { kind: 'command', command: joinFrames([...parts, fromHex(action.command)]), answer };
  const chain = chains.shift();
  const [, digest, behind] = action.command.split(MASK);
  if (chain === undefined || digest === undefined || behind === undefined)
    throw new RangeError('a PUT KEY without chaining value');
  return {
    kind: 'put-key',
    keys,
    replaces: replacesIn(action.command),
    digest: fromHex(digest),
    mac: fromHex(behind.slice(0, 2 * hostChallenge.length)),
    chain: fromHex(chain),
    answer,
  };
}

/** As the gateway got it: the frames of GET RESPONSE joined. */
function answerOf({ wire }: KeptCommand): Bytes {
  const none = new Uint8Array(0);
  return exchangeOf(
    'command',
    wire.map((frame) => ({ command: none, answer: fromHex(frame.answer) })),
  ).answer;
}

function dataOf(command: string): Bytes {
  const bytes = fromHex(command);
  return bytes.slice(5, 5 + (bytes[4] ?? 0));
}

/** Bit of the class that says secure messaging. */
function isProtected(command: string): boolean {
  return ((fromHex(command.slice(0, 2))[0] ?? 0) & 0x04) !== 0;
}

/** Of a command that was protected whole: the chip acknowledges it bare. A frame with a MAC of its own gets a code back. */
function isPart(action: KeptCommand): boolean {
  const [cla = 0] = fromHex(action.command.slice(0, 2));
  return (cla & MORE_FRAMES) !== 0 && toHex(answerOf(action)) === ACKNOWLEDGED;
}

function demand(current: Growing | null): Growing {
  if (current === null) throw new RangeError('a protected command outside a session');
  return current;
}

function keySetOf(keyVersion: number, eid: string, keys: Transcript['judged']['keys']): KeySet | null {
  const { transport, fleet } = keys;
  if (keyVersion === transport.keyVersion) return { origin: 'transport', eid, ...transport };
  return keyVersion === fleet.keyVersion ? { origin: 'fleet', eid, ...fleet } : null;
}
