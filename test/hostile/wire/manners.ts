/** What a hostile broker does with packets, beneath anything that is signed; each with what the programs may lose. */
import type { FaultCode } from '../../../runtime/core/faults.ts';
import type { Client, Manner } from './broker.ts';
import {
  connack,
  disconnect,
  lengthBytes,
  PacketType,
  packetIdOf,
  puback,
  publish,
  publishedIn,
  suback,
} from './packets.ts';

export interface WireManner {
  /** Completes “a broker that …”. */
  readonly does: string;
  /** What a program may be told meanwhile, beside that nobody answers and that the broker is away. */
  readonly told?: FaultCode;
  /** An answer still comes while it lasts. */
  readonly answers?: boolean;
  /** It is met by those who connect: the broker starts again when it becomes hostile. */
  readonly starts?: true;
  /** The program ends such a connection by itself, and makes another. */
  readonly left?: true;
  readonly manner: Manner;
}

const noise = Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 167 + 13) & 255));
/** More than anybody may gather of us; written only as far as the other side takes it. */
const ENDLESS_BYTES = 200 * 1024 * 1024;

/** Does it to one kind of packets, and obeys the others. */
const on =
  (type: number, act: Manner): Manner =>
  (packet, client, hands) => {
    if (packet.type === type) act(packet, client, hands);
    else hands.obey();
  };
const onPublish = (act: Manner): Manner => on(PacketType.publish, act);

/** Says something of its own, where an answer is to be brought, to the one whom it is for. */
const insteadOfAnswers = (say: (client: Client, topic: string, payload: Buffer) => void): Manner =>
  onPublish((packet, client, { obey, subscribersOf }) => {
    const { topic, payload, id } = publishedIn(packet);
    if (!topic.includes('/res/')) return obey();
    if (id !== null) client.write(puback(id));
    for (const other of subscribersOf(topic)) say(other, topic, payload);
  });

export const wireManners: Readonly<Record<string, WireManner>> = {
  'acknowledges-only': {
    does: 'acknowledges every message and delivers none',
    manner: onPublish((packet, client) => {
      const { id } = publishedIn(packet);
      if (id !== null) client.write(puback(id));
    }),
  },
  'never-acknowledges': {
    does: 'delivers every message and acknowledges none',
    left: true,
    manner: onPublish((packet, _, { subscribersOf }) => {
      const { topic, payload } = publishedIn(packet);
      for (const other of subscribersOf(topic)) other.write(publish(topic, payload));
    }),
  },
  'acknowledges-too-much': {
    does: 'acknowledges each message twice, and some that nobody sent',
    answers: true,
    manner: onPublish((packet, client, { obey }) => {
      obey();
      const { id } = publishedIn(packet);
      for (const other of [id ?? 1, 60_000, 0]) client.write(puback(other));
    }),
  },
  'refuses-messages': {
    does: 'refuses every message as not authorized',
    told: 'BUS_REFUSED',
    manner: onPublish((packet, client) => client.write(puback(publishedIn(packet).id ?? 1, 0x87))),
  },
  'refuses-subscriptions': {
    does: 'grants no subscription',
    told: 'BUS_REFUSED',
    starts: true,
    manner: on(PacketType.subscribe, (packet, client) => client.write(suback(packetIdOf(packet), [0x87]))),
  },
  'forgets-subscriptions': {
    does: 'answers no subscription',
    starts: true,
    manner: on(PacketType.subscribe, () => undefined),
  },
  'refuses-connections': {
    does: 'answers each connection with a refusal',
    told: 'BUS_REFUSED',
    starts: true,
    manner: on(PacketType.connect, (_, client) => client.write(connack(0x87))),
  },
  'gives-the-name-away': {
    does: 'tells each program that somebody else came under its name, as soon as it has connected',
    told: 'BUS_REFUSED',
    starts: true,
    manner: on(PacketType.subscribe, (_, client, { obey }) => {
      obey();
      client.write(disconnect(0x8e));
    }),
  },
  'sets-small-limits': {
    does: 'allows one message at a time, of ten bytes at most, and wants no sign of life for a day',
    starts: true,
    answers: true,
    manner: on(PacketType.connect, (_, client) =>
      // Receive maximum 1, maximum packet size 10, server keep alive 65535. Section 3.2.2.3.
      client.write(connack(0, Buffer.of(11, 0x21, 0, 1, 0x27, 0, 0, 0, 10, 0x13, 255, 255))),
    ),
  },
  'welcomes-twice': {
    does: 'sends a second CONNACK, and one before the program has asked',
    starts: true,
    manner: on(PacketType.subscribe, (_, client, { obey }) => {
      client.write(connack());
      obey();
    }),
  },
  'cuts-packets-short': {
    does: 'breaks the connection in the middle of each answer',
    manner: insteadOfAnswers((client, topic, payload) => {
      const whole = publish(topic, payload);
      client.write(whole.subarray(0, Math.floor(whole.length / 2)));
      client.cut();
    }),
  },
  'stalls-in-a-packet': {
    does: 'stops in the middle of each answer and says nothing any longer',
    manner: insteadOfAnswers((client, topic, payload) => {
      client.write(publish(topic, payload).subarray(0, 40));
    }),
  },
  'lies-about-length': {
    does: 'announces each answer as longer than it is, so that what follows is swallowed',
    manner: insteadOfAnswers((client, topic, payload) => {
      const whole = publish(topic, payload);
      client.write(Buffer.concat([Buffer.of(0x30), lengthBytes(whole.length + 3_000), whole.subarray(3)]));
    }),
  },
  'speaks-noise': {
    does: 'sends bytes that are no packets',
    left: true,
    manner: insteadOfAnswers((client) => client.write(noise)),
  },
  'sends-endless-lengths': {
    does: 'sends a length that does not end',
    left: true,
    manner: insteadOfAnswers((client) => client.write(Buffer.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x7f))),
  },
  'sends-endless-packets': {
    does: 'begins a packet of two hundred megabytes and goes on with it',
    left: true,
    manner: insteadOfAnswers((client) => {
      client.write(Buffer.concat([Buffer.of(0x30), lengthBytes(ENDLESS_BYTES)]));
      client.flood(Buffer.alloc(65_536));
    }),
  },
  'keeps-messages-open': {
    does: 'sends messages that the program would have to keep until it is allowed to forget them (QoS 2)',
    left: true,
    manner: insteadOfAnswers((client, topic, payload) => {
      for (let id = 1; id <= 500; id++) client.write(publish(topic, payload, { qos: 2, id }));
    }),
  },
  'enlarges-answers': {
    does: 'lengthens each answer beyond the largest message, and a little less',
    manner: insteadOfAnswers((client, topic, payload) => {
      client.write(publish(topic, Buffer.concat([payload, Buffer.alloc(262_144, 0x41)])));
      client.write(publish(topic, Buffer.concat([payload, Buffer.alloc(1_000, 0x41)])));
    }),
  },
  'uses-impossible-topics': {
    does: 'delivers under no topic, under a wildcard, and under an alias that was never agreed',
    manner: insteadOfAnswers((client, _, payload) => {
      client.write(publish('holdfast/#', payload));
      client.write(publish('', payload));
    }),
  },
  'speaks-as-a-client': {
    does: 'sends what a broker never sends: CONNECT, SUBSCRIBE, packets without a meaning',
    left: true,
    manner: insteadOfAnswers((client, topic) => {
      client.write(Buffer.of(0x00, 0x00));
      client.write(Buffer.of(0x82, 0x05, 0, 1, 0, 0, 0));
      client.write(Buffer.of(0xf0, 0x00));
      client.write(publish(topic, Buffer.alloc(0)));
    }),
  },
};
