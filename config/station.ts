/** Everything a station can be told. Configuration says where things are and how long to wait; never what to do with a unit. */
import { z } from 'zod';
import type { GateKind } from '../runtime/core/gate/release.ts';
import { busConfig, file, logKey, milliseconds, partyName, plant, trustedKeys } from './parts.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const share = z.number().min(0.1).max(0.99);
const pin = z.int().min(2).max(127);
const level = z.union([z.literal(0), z.literal(1)]);
const contact = z.strictObject({ pin, activeLevel: level });
const lamp = z.array(pin).max(8);

const lane = z.strictObject({
  valve: z.strictObject({ pin, safe: level }).meta({
    description: 'Plain Firmata only: valve of this gate; its safe level shuts the gate, the other opens it.',
  }),
  closed: contact.meta({
    description: 'Plain Firmata only: contact that is active while this gate is shut.',
  }),
  exit: contact.meta({
    description: 'Plain Firmata only: contact that a unit makes as it passes this gate.',
  }),
});

const gatePins = z
  .strictObject({
    presence: contact.meta({
      description: 'Plain Firmata only: contact that is active while a unit is in the nest.',
    }),
    good: lane,
    reject: lane,
  })
  .nullable()
  .default(null)
  .meta({
    description: 'Wiring of the gates, for plain Firmata only: a gate controller has them to itself.',
  });

const nestPins = z
  .strictObject({
    clamp: z.strictObject({
      valve: z.strictObject({ pin, safe: level }),
      openLevel: level,
      closed: contact,
      open: contact,
    }),
    lamps: z.strictObject({ idle: lamp, busy: lamp, held: lamp, rejected: lamp }),
    gate: gatePins,
  })
  .meta({ description: 'Wiring of the I/O board: clamp valve, its end switches, lamps of the tower.' });

const nestConfig = z.strictObject({
  pins: nestPins,
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,8}$/)
    .meta({ description: 'Name of the nest, as on the fixture.' }),
  reader: z
    .string()
    .min(1)
    .meta({ description: 'Name of the card reader, or a part of it that only one has.' }),
});

export const stationConfig = z.strictObject({
  station: partyName.meta({ description: 'Name of the station: the CN of its certificate.' }),
  authority: z
    .string()
    .min(1)
    .meta({ description: 'Named authority in charge while no operator is signed in.' }),
  instructionSocket: file.nullable().default(null).meta({
    description: 'Socket at which operators sign in and out on this board; null: nobody does.',
  }),
  plant,
  nests: z.tuple([nestConfig], nestConfig).meta({ description: 'Places in the fixture that hold a unit.' }),
  controller: z
    .string()
    .regex(/^[a-z0-9-]{1,16}$/)
    .meta({ description: 'Name of the gate controller.' }),
  ticketFile: file.meta({ description: 'Production ticket, compact JWS.' }),
  statusKey: z.string().min(8).meta({ description: 'Key of the hash under which an EID appears in status.' }),
  journal: z.strictObject({
    directory: file.meta({ description: 'Journal of this station.' }),
    laboratoryFileSystem: z
      .boolean()
      .default(false)
      .meta({ description: 'Accept a file system that may forget acknowledged writes. Never on a line.' }),
    freeBytesMin: z
      .int()
      .min(0)
      .default(64 * MIB)
      .meta({ description: 'Room on its disk below which no unit is begun.', unit: 'bytes' }),
    ballastBytes: z
      .int()
      .min(0)
      .default(64 * MIB)
      .meta({
        description: 'Held in reserve on its disk, so that a full one can be opened after a stop.',
        unit: 'bytes',
      }),
    keepEntries: z.int().min(8).default(100_000).meta({
      description:
        'The youngest entries that stay. Older ones go once the backend has them and their visits have ended.',
    }),
    keepDays: z
      .int()
      .min(1)
      .default(400)
      .meta({ description: 'What is older goes as well, but for the last thousand.', unit: 'days' }),
    socket: file.meta({ description: 'Socket for reading the journal of the running station.' }),
  }),
  serialPort: file.meta({ description: 'I/O board, by a stable name.' }),
  jig: z
    .strictObject({
      debounceMs: z
        .int()
        .min(0)
        .default(3)
        .meta({ description: 'How long a contact must rest before it counts.', unit: 'ms' }),
      writeMs: milliseconds
        .default(60)
        .meta({ description: 'Wait for the board to show an output; three tries.', unit: 'ms' }),
      silenceMs: milliseconds
        .default(150)
        .meta({ description: 'A board that is silent for so long is lost.', unit: 'ms' }),
      plainFirmata: z
        .enum(['refuse', 'bench-only'])
        .default('refuse')
        .meta({
          description:
            'What becomes of a board with plain Firmata. With `bench-only` this station plays the gate ' +
            'controller itself and refuses a board that has one; no release is verified, and no gate shuts ' +
            'when this station’s computer fails. Needs one nest with `pins.gate`, `plainMemoryFile`, and the ' +
            'backend’s consent. Never on a line.',
        }),
      plainMemoryFile: file.nullable().default(null).meta({
        description:
          'Plain Firmata only: file in which this station remembers the releases that were obeyed.',
      }),
      gateOpenMs: milliseconds
        .max(9_000)
        .default(5_000)
        .meta({ description: 'Plain Firmata only: longest time a gate stands open.', unit: 'ms' }),
    })
    .prefault({}),
  pcscSocket: file.nullable().default(null).meta({ description: 'Socket of pcscd; null for the system’s.' }),
  bus: busConfig,
  token: z.strictObject({
    module: file.meta({ description: 'PKCS#11 module with the keys of this station.' }),
    label: z.string().meta({ description: 'Label of the token.' }),
    pinFile: file.meta({ description: 'File with the PIN.' }),
    envelopeKey: z
      .string()
      .default('envelope')
      .meta({ description: 'Label of the key that signs envelopes.' }),
  }),
  renewal: z
    .strictObject({
      renewAt: share.default(2 / 3).meta({
        description: 'Part of its life after which the certificate for the broker is renewed.',
      }),
      warnAt: share.default(0.9).meta({
        description: 'Part of its life after which the station says that nothing came.',
      }),
      courier: file
        .nullable()
        .default(null)
        .meta({
          description:
            'Directory in which the station leaves its request and looks for the answer, which somebody carries to the ' +
            'bus authority and back; null: people renew it, and the station only warns.',
        }),
      answerMs: milliseconds
        .default(HOUR_MS)
        .meta({ description: 'Longest wait for an answer.', unit: 'ms' }),
      retryFirstMs: milliseconds
        .default(60_000)
        .meta({ description: 'Wait after the first try that failed; twice as long after each.', unit: 'ms' }),
      retryMaxMs: milliseconds
        .default(HOUR_MS)
        .meta({ description: 'Longest wait between two tries.', unit: 'ms' }),
    })
    .prefault({}),
  trusted: trustedKeys,
  logKey,
  failpoint: z
    .string()
    .nullable()
    .default(null)
    .meta({ description: 'Ends the program at this named point. For tests only.' }),
  failpointSkip: z.int().min(0).default(0).meta({ description: 'How often the point is passed before.' }),
  readerDeadlineMs: milliseconds
    .default(5_000)
    .meta({ description: 'Longest wait for a reader to connect.', unit: 'ms' }),
});
export type StationConfig = z.output<typeof stationConfig>;

/** Label of the key for the broker in the station's token; null for a key in a file. */
export function tlsKeyLabelOf({ bus }: Pick<StationConfig, 'bus'>): string | null {
  if (!('pkcs11' in bus.key)) return null;
  const [, label] = /(?:^|[:;])object=([^;?]+)/.exec(bus.key.pkcs11) ?? [];
  return label === undefined ? null : decodeURIComponent(label);
}

/** What the configuration says of this station's gate: the driver refuses a board that is otherwise. */
export function gateKindOf({ jig }: Pick<StationConfig, 'jig'>): GateKind {
  return jig.plainFirmata === 'refuse' ? 'controller' : 'plain-firmata';
}
