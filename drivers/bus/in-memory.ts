/**
 * A simulated broker with its clients: loses, delays, repeats and reorders messages as its weather says, from one
 * seed. Retained messages, wills, shared subscriptions, persistent sessions and an access list are like MQTT's.
 */
import type { Bytes } from '../../runtime/core/bytes.ts';
import { Fault } from '../../runtime/core/faults.ts';
import type { Bus, Clock, Entropy, Link, PublishOptions } from '../../runtime/core/ports.ts';
import { matches, parseFilter, type TopicFilter } from './topic-filter.ts';

/** Drawn anew for each message on each of its ways: client to broker, broker to client. */
export interface Weather {
  /** Part of the messages that vanish, 0 to 1, though their publish resolves. */
  readonly lossRate: number;
  /** Part of the messages that arrive twice. */
  readonly duplicateRate: number;
  /** Evenly between the two. Messages overtake each other when they differ. */
  readonly delayMs: { readonly min: number; readonly max: number };
}

export const calm: Weather = { lossRate: 0, duplicateRate: 0, delayMs: { min: 0, max: 0 } };

export interface InMemoryClientOptions {
  readonly clientId: string;
  readonly mayPublish: (topic: string) => boolean;
  /** A forbidden subscription is granted; nothing arrives. */
  readonly mayReceive: (topic: string) => boolean;
  readonly will?: { readonly topic: string; readonly payload: Bytes; readonly retain: boolean };
  /** False: what comes with QoS 1 while the client is cut off waits for it. */
  readonly clean: boolean;
}

export interface InMemoryBroker {
  /** Takes the place of an earlier client with the same id. */
  connect(options: InMemoryClientOptions): Bus & AsyncDisposable;
  /** The connection breaks; the broker publishes the will. Lasts until `mend`. */
  cut(clientId: string): void;
  mend(clientId: string): void;
  /** A partition that nobody notices: what is on the way in a direction vanishes while the link seems up. */
  isolate(clientId: string, directions: { readonly outgoing: boolean; readonly incoming: boolean }): void;
  setWeather(weather: Weather): void;
}

/** Messages that wait for a client that is cut off; more are dropped, silently as at a real broker. */
const WAITING_MAX = 1000;

interface Message {
  readonly topic: string;
  readonly payload: Bytes;
  readonly qos: 0 | 1;
}

interface Session {
  readonly options: InMemoryClientOptions;
  readonly subscriptions: {
    readonly filter: TopicFilter;
    readonly handler: (topic: string, payload: Bytes) => void;
  }[];
  readonly waiting: Message[];
  readonly linkHandlers: ((link: Link) => void)[];
  state: 'up' | 'cut' | 'closed';
  isolated: { readonly outgoing: boolean; readonly incoming: boolean };
}

export function createInMemoryBroker(options: {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly weather: Weather;
}): InMemoryBroker {
  return new Broker(options.clock, options.entropy, options.weather);
}

class Broker implements InMemoryBroker {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #sessions = new Map<string, Session>();
  readonly #retained = new Map<string, Message>();
  /** Whose turn it is in each group of shared subscriptions. */
  readonly #turns = new Map<string, number>();
  #weather: Weather;

  constructor(clock: Clock, entropy: Entropy, weather: Weather) {
    this.#clock = clock;
    this.#entropy = entropy;
    this.#weather = weather;
  }

  connect(options: InMemoryClientOptions): Bus & AsyncDisposable {
    const former = this.#sessions.get(options.clientId);
    if (former !== undefined) this.#leave(former, 'closed');
    const kept = former !== undefined && !options.clean && !former.options.clean ? former.waiting : [];
    const session: Session = {
      options,
      subscriptions: [],
      waiting: [...kept],
      linkHandlers: [],
      state: 'up',
      isolated: { outgoing: false, incoming: false },
    };
    this.#sessions.set(options.clientId, session);
    // After the caller's turn: what waited finds the handlers that are subscribed at once.
    this.#clock.after(0, () => this.#sendWaiting(session));
    const close = async (): Promise<void> => {
      if (session.state !== 'closed') this.#leave(session, 'closed', { orderly: true });
    };
    return {
      publish: (topic, payload, how) => this.#publish(session, topic, payload, how),
      subscribe: async (filter, handler) => this.#subscribe(session, filter, handler),
      onLink: (handler) => {
        session.linkHandlers.push(handler);
        handler(linkOf(session));
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  cut(clientId: string): void {
    const session = this.#sessions.get(clientId);
    if (session?.state === 'up') this.#leave(session, 'cut');
  }

  mend(clientId: string): void {
    const session = this.#sessions.get(clientId);
    if (session?.state !== 'cut') return;
    session.state = 'up';
    this.#sendWaiting(session);
    for (const { filter } of session.subscriptions) this.#sendRetained(session, filter);
    for (const handler of session.linkHandlers) handler({ up: true });
  }

  isolate(clientId: string, directions: { readonly outgoing: boolean; readonly incoming: boolean }): void {
    const session = this.#sessions.get(clientId);
    if (session !== undefined) session.isolated = directions;
  }

  setWeather(weather: Weather): void {
    this.#weather = weather;
  }

  async #publish(session: Session, topic: string, payload: Bytes, how: PublishOptions): Promise<void> {
    if (session.state !== 'up') throw downFault(session);
    // The bytes as they are now: the caller may use its buffer again.
    const message = { topic, payload: Uint8Array.from(payload), qos: how.qos };
    const allowed = session.options.mayPublish(topic);
    if (allowed && !session.isolated.outgoing)
      this.#travel(() => {
        if (how.retain) this.#retain(message);
        this.#route(message);
      });
    // The broker's word says nothing of the receiver: it comes whatever became of the message.
    await new Promise<void>((resolve) => this.#clock.after(this.#delayMs(), resolve));
    if (session.state !== 'up') throw downFault(session);
    if (!allowed) throw new Fault('BUS_REFUSED', { topic });
  }

  #subscribe(session: Session, filter: string, handler: (topic: string, payload: Bytes) => void): void {
    const parsed = parseFilter(filter);
    session.subscriptions.push({ filter: parsed, handler });
    if (session.state === 'up') this.#sendRetained(session, parsed);
  }

  #sendWaiting(session: Session): void {
    if (session.state === 'up') for (const message of session.waiting.splice(0)) this.#send(session, message);
  }

  /** The message reaches the broker: everybody who subscribed, and one of each group. */
  #route(message: Message): void {
    const groups = new Map<string, Session[]>();
    for (const session of this.#sessions.values()) {
      const filters = session.subscriptions.map(({ filter }) => filter);
      const fitting = filters.filter((filter) => matches(filter, message.topic));
      if (fitting.some(({ group }) => group === null)) this.#send(session, message);
      for (const { group, levels } of fitting) {
        if (group === null || session.state !== 'up') continue;
        const name = `${group}/${levels.join('/')}`;
        const members = groups.get(name) ?? [];
        if (!members.includes(session)) members.push(session);
        groups.set(name, members);
      }
    }
    for (const [name, members] of groups) {
      const turn = this.#turns.get(name) ?? 0;
      this.#turns.set(name, turn + 1);
      const member = members[turn % members.length];
      if (member !== undefined) this.#send(member, message);
    }
  }

  /** From the broker to one client. */
  #send(session: Session, message: Message): void {
    if (!session.options.mayReceive(message.topic)) return;
    if (session.state !== 'up') {
      const keeps = !session.options.clean && message.qos === 1 && session.waiting.length < WAITING_MAX;
      if (keeps) session.waiting.push(message);
      return;
    }
    if (session.isolated.incoming) return;
    this.#travel(() => {
      if (session.state !== 'up' || session.isolated.incoming) return;
      for (const { filter, handler } of session.subscriptions)
        if (matches(filter, message.topic)) handler(message.topic, message.payload);
    });
  }

  #sendRetained(session: Session, filter: TopicFilter): void {
    if (filter.group !== null) return;
    for (const message of this.#retained.values())
      if (matches(filter, message.topic)) this.#send(session, message);
  }

  #retain(message: Message): void {
    if (message.payload.length === 0) this.#retained.delete(message.topic);
    else this.#retained.set(message.topic, message);
  }

  #leave(session: Session, state: 'cut' | 'closed', { orderly } = { orderly: false }): void {
    const wasUp = session.state === 'up';
    session.state = state;
    const { will, mayPublish } = session.options;
    if (wasUp && !orderly && will !== undefined && mayPublish(will.topic)) {
      const message = { topic: will.topic, payload: will.payload, qos: 1 } as const;
      if (will.retain) this.#retain(message);
      this.#route(message);
    }
    for (const handler of session.linkHandlers) handler(linkOf(session));
  }

  /** Lets the weather decide whether, when and how often it arrives. */
  #travel(arrive: () => void): void {
    if (this.#chance(this.#weather.lossRate)) return;
    this.#clock.after(this.#delayMs(), arrive);
    if (this.#chance(this.#weather.duplicateRate)) this.#clock.after(this.#delayMs(), arrive);
  }

  #delayMs(): number {
    const { min, max } = this.#weather.delayMs;
    return min === max ? min : min + (max - min) * this.#fraction();
  }

  #chance(rate: number): boolean {
    return rate > 0 && this.#fraction() < rate;
  }

  /** In [0, 1). */
  #fraction(): number {
    return this.#entropy.bytes(4).reduce((value, byte) => value * 256 + byte, 0) / 2 ** 32;
  }
}

function linkOf(session: Session): Link {
  return session.state === 'up' ? { up: true } : { up: false, fault: downFault(session) };
}

function downFault(session: Session): Fault {
  return new Fault('BUS_UNREACHABLE', { reason: session.state });
}
