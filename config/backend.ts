/** Everything a backend can be told. */
import { z } from 'zod';
import { quorumForm } from '../runtime/core/messages/approval.ts';
import { busConfig, file, milliseconds, partyName, trustedKeys } from './parts.ts';

export const backendConfig = z.strictObject({
  backend: partyName.meta({ description: 'Name of this backend: the CN of its certificate.' }),
  bus: busConfig,
  instructionSocket: file.meta({ description: 'Socket at which the command line instructs this program.' }),
  databaseUrl: z.string().startsWith('postgres').meta({ description: 'Fleet database.' }),
  headFile: file.meta({
    description:
      'Where this backend remembers the largest log head it has told, apart from the database: a restored ' +
      'backup is found out by it. Made at the first start; moves with the backend.',
  }),
  receiptKeyFile: file.meta({ description: 'P-256 key that signs receipts and envelopes, PEM, mode 0600.' }),
  log: z.strictObject({
    origin: z.string().min(1).meta({ description: 'Name of the fleet log for ever: a URL without scheme.' }),
    keyFile: file.meta({ description: 'Ed25519 key that signs checkpoints, PEM, mode 0600.' }),
  }),
  controllers: z
    .array(
      z
        .strictObject({
          name: z
            .string()
            .regex(/^[a-z0-9-]{1,16}$/)
            .meta({ description: 'Gate controller.' }),
          station: partyName.meta({ description: 'Station it belongs to.' }),
          keyFile: file.nullable().default(null).meta({
            description: 'Key it shares with this backend, 16 bytes hexadecimal, mode 0600.',
          }),
          plainFirmata: z
            .enum(['refuse', 'bench-only'])
            .default('refuse')
            .meta({
              description:
                'With `bench-only`, and no key: plain Firmata pins that the station itself moves. Its reports ' +
                'are that station’s word alone; only laboratory tickets pass, and every record says so. A ' +
                'board that gets a gate controller later takes another name.',
            }),
        })
        .refine(({ keyFile, plainFirmata }) => (keyFile === null) === (plainFirmata === 'bench-only'), {
          error: 'either a keyFile, or plainFirmata: bench-only',
        }),
    )
    .min(1),
  authorities: z
    .record(
      partyName,
      z
        .string()
        .min(1)
        .max(128)
        .refine((name) => !name.startsWith('op-'), { error: 'looks like the pseudonym of an operator' }),
    )
    .meta({
      description:
        'Named authority in charge of each station while nobody is signed in; stands in the records.',
    }),
  operatorQuorum: quorumForm.nullable().default(null).meta({
    description:
      'How many of which officers must have approved that an operator is registered or removed; null: it is refused.',
  }),
  shiftHours: z.int().min(1).max(24).default(12).meta({
    description: 'From a sign-in to the end of its shift, where nobody signs out before.',
    unit: 'h',
  }),
  rootName: z
    .string()
    .default('fleet root')
    .meta({ description: 'Name of the root above the intermediates.' }),
  stationQuorum: quorumForm.nullable().default(null).meta({
    description:
      'How many of which officers must have approved the revocation of a station; null: it is refused.',
  }),
  reconcileSeconds: z.int().min(0).max(86_400).default(600).meta({
    description: 'From one reconciliation of all open tickets to the next; 0: only when it is asked.',
    unit: 's',
  }),
  lifeQuorum: quorumForm
    .nullable()
    .default(null)
    .meta({
      description:
        'How many of which officers must have approved what is done to a unit after the line: quarantine, scrap and the ' +
        'rest; null: it is refused.',
    }),
  revocation: z
    .strictObject({
      quorum: quorumForm.meta({ description: 'Officers, and how many of them must approve a plan.' }),
      crlDays: z.int().min(1).max(365).default(30).meta({
        description: 'From a revocation list to its nextUpdate, as the gateways are set; plans tell it.',
        unit: 'd',
      }),
      rootCrlDays: z.int().min(1).max(400).default(365).meta({
        description: 'The same of the root’s list.',
        unit: 'd',
      }),
    })
    .nullable()
    .default(null)
    .meta({ description: 'Who may have certificates revoked; null: nobody.' }),
  witnesses: z
    .strictObject({
      policyFile: file.meta({
        description:
          'Policy (C2SP tlog-policy) with the key of this log, and of each witness its key and its URL: those are asked.',
      }),
      roundMs: milliseconds
        .default(10_000)
        .meta({ description: 'From one round of questions to the next.', unit: 'ms' }),
      deadlineMs: milliseconds
        .default(5_000)
        .meta({ description: 'Longest wait for one answer of a witness.', unit: 'ms' }),
    })
    .nullable()
    .default(null)
    .meta({ description: 'Who cosigns the checkpoints of the log; null: nobody.' }),
  trusted: trustedKeys,
  ticketQuorum: quorumForm.meta({
    description: 'How many of which officers must have approved an order. Gateway and backend judge it each.',
  }),
  queueMax: z
    .int()
    .min(1)
    .default(4096)
    .meta({ description: 'Registrations that may wait; more are answered busy.' }),
  statementTimeoutMs: milliseconds
    .default(5_000)
    .meta({ description: 'Longest wait for one statement.', unit: 'ms' }),
});
export type BackendConfig = z.output<typeof backendConfig>;
