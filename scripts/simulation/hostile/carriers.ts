/** Manners of a broker that carries messages badly, or to others, or again: none needs a key. */
import { MESSAGE_BYTES_MAX } from '../../../runtime/core/messages/channel.ts';
import { every, type Manner, oneOf, pass } from './manner.ts';
import type { Hands, Message, Treatment } from './middle.ts';

const LOST_RATE = 0.4;
const SPOILT_RATE = 0.4;
const LATE_MAX_MS = 6_000;
const BATCH_MS = 700;
const AGAIN_MS = 120;
const AGAIN_AT_A_TIME = 3;
const RETAINED_MS = 400;

const changes =
  (change: (payload: Uint8Array, hands: Hands) => Uint8Array): (() => Treatment) =>
  () => ({
    treat: (message, hands) => {
      if (!hands.draw.chance(SPOILT_RATE)) return pass(message, hands);
      hands.struck();
      hands.give(message.topic, change(message.payload, hands));
    },
  });

const repeats = (source: (hands: Hands) => readonly Message[]): Treatment => ({
  treat: pass,
  begin: (hands) =>
    every(hands, AGAIN_MS, () => {
      for (let i = 0; i < AGAIN_AT_A_TIME; i++) {
        const again = oneOf(source(hands), hands);
        if (again === undefined) return;
        hands.struck();
        hands.give(again.topic, again.payload);
      }
    }),
});

/** Another station in the place of the first one of a topic. */
const elsewhere = (topic: string): string =>
  topic.replace(/station-(\d)/, (_, number) => `station-${number === '1' ? '2' : '1'}`);

const diverts = (part: '/req/' | '/res/'): Treatment => ({
  treat: ({ topic, payload, ...rest }, hands) => {
    if (!topic.includes(part)) return pass({ topic, payload, ...rest }, hands);
    hands.struck();
    hands.give(elsewhere(topic), payload);
  },
});

export const carriers = {
  drops: {
    does: 'loses four messages of ten, and its word for each says that it came',
    costs: 'time: what is lost is said again',
    withstood: 'the same bytes are repeated until an answer comes',
    deedsMin: 20,
    refused: false,
    treatment: () => ({
      treat: (message, hands) => {
        if (hands.draw.chance(LOST_RATE)) hands.struck();
        else pass(message, hands);
      },
    }),
  },
  'acknowledges-only': {
    does: 'acknowledges every message and delivers none',
    costs: 'everything, while it lasts',
    withstood: 'a PUBACK proves nothing: units are held until an answer comes',
    deedsMin: 20,
    refused: false,
    treatment: () => ({ treat: (_, hands) => hands.struck() }),
  },
  duplicates: {
    does: 'delivers every message three times',
    costs: 'nothing but work',
    withstood: 'a repetition gets the same bytes again and nothing is done twice',
    deedsMin: 100,
    refused: false,
    treatment: () => ({
      treat: (message, hands) => {
        hands.struck();
        for (let i = 0; i < 3; i++) pass(message, hands);
      },
    }),
  },
  reorders: {
    does: 'gathers messages and delivers them in the wrong order, the last one first',
    costs: 'time',
    withstood: 'an answer names its request, and a step of a dialogue its place',
    deedsMin: 20,
    refused: false,
    treatment: () => {
      const gathered: Message[] = [];
      return {
        treat: (message) => {
          gathered.push(message);
        },
        begin: (hands) =>
          every(hands, BATCH_MS, () => {
            for (const message of gathered.splice(0).reverse()) {
              hands.struck();
              pass(message, hands);
            }
          }),
      };
    },
  },
  delays: {
    does: 'keeps each message for up to six seconds, longer than anybody waits',
    costs: 'time: units are held and tried again',
    withstood: 'every wait has a deadline, and an answer that comes too late is for nobody',
    deedsMin: 20,
    refused: false,
    treatment: () => ({
      treat: (message, hands) => {
        hands.struck();
        hands.clock.after(hands.draw.fraction() * LATE_MAX_MS, () => pass(message, hands));
      },
    }),
  },
  replays: {
    does: 'says again, at random, what was said before',
    costs: 'nothing but work',
    withstood: 'kept answers for repeated requests; an answer to no waiting request is dropped',
    deedsMin: 300,
    refused: false,
    treatment: () => repeats(({ said }) => said),
  },
  'replays-yesterday': {
    does: 'says again what the same plant said on another day, of the same EIDs',
    costs: 'nothing but work',
    withstood:
      'yesterday’s answers name yesterday’s requests, its reservations operations that are not known',
    deedsMin: 300,
    refused: false,
    treatment: ({ yesterday }) => repeats(() => yesterday),
  },
  'swaps-answers': {
    does: 'gives each of two stations the answers for the other',
    costs: 'everything, while it lasts',
    withstood: 'an answer names its request, which is waited for by its own station alone',
    deedsMin: 20,
    refused: false,
    treatment: () => diverts('/res/'),
  },
  'swaps-requests': {
    does: 'gives the requests of each of two stations as those of the other',
    costs: 'everything, while it lasts',
    withstood: 'a request counts for the station whose key signed it',
    deedsMin: 20,
    refused: true,
    treatment: () => diverts('/req/'),
  },
  truncates: {
    does: 'cuts four messages of ten short',
    costs: 'time',
    withstood: 'signatures: nothing is read before',
    deedsMin: 20,
    refused: true,
    treatment: changes((payload, { draw }) => payload.slice(0, Math.floor(draw.fraction() * payload.length))),
  },
  enlarges: {
    does: 'lengthens four messages of ten, some beyond the largest that is allowed',
    costs: 'time',
    withstood: 'signatures, and a length that is judged first',
    deedsMin: 20,
    refused: true,
    treatment: changes((payload, { draw }) =>
      Buffer.concat([payload, Buffer.alloc(draw.chance(0.3) ? MESSAGE_BYTES_MAX : 40, 0x41)]),
    ),
  },
  'flips-bits': {
    does: 'changes one bit in four messages of ten',
    costs: 'time',
    withstood: 'signatures',
    deedsMin: 20,
    refused: true,
    treatment: changes((payload, { draw }) => {
      const other = Uint8Array.from(payload);
      const at = Math.floor(draw.fraction() * other.length);
      other[at] = (other[at] ?? 0) ^ (1 << Math.floor(draw.fraction() * 8));
      return other;
    }),
  },
  'speaks-nonsense': {
    does: 'says on every topic what is no message at all: nothing, noise, empty JSON, a third of a megabyte',
    costs: 'nothing but work',
    withstood: 'every reader refuses what it cannot read, in words, and goes on',
    deedsMin: 60,
    refused: true,
    treatment: () => ({
      treat: (message, hands) => {
        pass(message, hands);
        hands.struck();
        hands.give(message.topic, oneOf(nonsense, hands) ?? new Uint8Array(0));
      },
    }),
  },
  'retains-old-answers': {
    does: 'keeps answers and states as retained messages, forged ones among them, for whoever subscribes',
    costs: 'nothing; a state on a screen elsewhere may be false',
    withstood: 'an answer to no waiting request is dropped, and no program reads a state',
    deedsMin: 30,
    refused: false,
    treatment: () => ({
      treat: pass,
      begin: (hands) =>
        every(hands, RETAINED_MS, () => {
          const old = oneOf(hands.said, hands);
          if (old === undefined) return;
          hands.struck();
          const state = old.topic.includes('/Status/') || old.topic.includes('/Admin/');
          hands.give(old.topic, state ? Buffer.from('{"state":"Execute","number":6}') : old.payload, true);
        }),
    }),
  },
} as const satisfies Record<string, Manner>;

const nonsense: readonly Uint8Array[] = [
  new Uint8Array(0),
  Uint8Array.of(0xff, 0xfe, 0xfd),
  Buffer.from('a.b.c'),
  Buffer.from('{"id":null}'),
  Buffer.from(`${Buffer.from('{}').toString('base64url')}.${Buffer.from('[]').toString('base64url')}.AAAA`),
  Buffer.alloc(MESSAGE_BYTES_MAX + 1, 0x61),
];
