/** `holdfast pki expiry`: which intermediates outlive their fleet, and which lists run out. */

import { fromBase64 } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { showCrlInstruction } from '../../core/messages/revocation.ts';
import { parseAuthority } from '../../core/pki/authority.ts';
import { parseCrl } from '../../core/pki/crl.ts';
import { type ExpiringAuthority, type ExpiringList, type Foresight, foresee } from '../../core/pki/expiry.ts';
import { fromPem } from '../../core/pki/pem.ts';
import { documentationIdentifiers } from '../../core/pki/profile.ts';
import { FAR_DATE_MS } from '../../core/pki/time.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, isSet, listOf, textOf } from '../command.ts';
import { databaseOptions, openFleetOf } from '../fleet/place.ts';
import type { Means } from '../means.ts';
import { settingsOf, socketOf } from '../program-place.ts';
import { columns, type Paint } from '../screen.ts';
import { dateOf } from './given.ts';

export const pkiExpiryCommand: Command = {
  name: 'pki expiry',
  summary: 'which intermediates end before their fleet, and which revocation lists run out',
  options: {
    until: {
      type: 'string',
      value: 'DATE',
      help: 'the fleet is meant to live until then (default: as its units, never)',
    },
    root: { type: 'string', value: 'FILE', multiple: true, help: 'certificate of a root, PEM' },
    'root-crl': { type: 'string', value: 'FILE', multiple: true, help: 'list of a root, PEM' },
    ...databaseOptions,
  },
  notes: [
    'The gateway of the line is asked for its lists, the fleet database for the units of each intermediate.',
    'A list is to be renewed when half of its time is over. Exit 1 when anything ends too early.',
  ],
  examples: [
    'holdfast pki expiry --until 2046-01-01 --root offline-root/root.pem --root-crl crl/root.crl.pem',
  ],
  run: async (given, means) => {
    const until = textOf(given, 'until');
    const foresight = foresee({
      authorities: await authoritiesOf(given, means),
      lists: await listsOf(given, means),
      nowMs: means.now(),
      untilMs: until === null ? FAR_DATE_MS : dateOf(until),
    });
    if (isSet(given, 'json')) means.print(JSON.stringify(foresight));
    else for (const line of linesOf(foresight, means.paint)) means.print(line);
    return foresight.alarm ? ExitCode.fault : ExitCode.done;
  },
};

async function authoritiesOf(given: Arguments, means: Means): Promise<readonly ExpiringAuthority[]> {
  const { issuers } = settingsOf('gateway', given, means) as {
    issuers?: readonly { readonly name: string; readonly certificate: string }[];
  };
  await using fleet = await openFleetOf(given, means);
  const found: ExpiringAuthority[] = [];
  for (const { name, certificate } of issuers ?? []) {
    const units = await fleet.read((view) => view.countCertificatesOf(name));
    found.push({ name, notAfterMs: endOf(certificate, means), units });
  }
  const units = found.reduce((sum, one) => sum + one.units, 0);
  return [
    ...found,
    ...listOf(given, 'root').map((file) => ({ name: file, notAfterMs: endOf(file, means), units })),
  ];
}

/** @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
function endOf(file: string, { files }: Means): number {
  return readable(file, () => {
    const [der] = fromPem('CERTIFICATE', files.read(file));
    if (der === undefined) throw new RangeError('no certificate');
    return parseAuthority(der, documentationIdentifiers).notAfterMs;
  });
}

async function listsOf(given: Arguments, means: Means): Promise<readonly ExpiringList[]> {
  const shown = await means.instruct(socketOf('gateway', given, means), showCrlInstruction, {
    issuer: null,
  });
  const own = shown.crls.map(({ issuer, der }) => timesOf(issuer, fromBase64(der)));
  const roots = listOf(given, 'root-crl').map((file) =>
    readable(file, () => {
      const [der] = fromPem('X509 CRL', means.files.read(file));
      if (der === undefined) throw new RangeError('no list');
      return timesOf(file, der);
    }),
  );
  return [...own, ...roots];
}

function timesOf(name: string, der: Uint8Array): ExpiringList {
  const { thisUpdateMs, nextUpdateMs } = parseCrl(der);
  return { name, thisUpdateMs, nextUpdateMs };
}

/** @throws Fault CONFIG_INVALID */
function readable<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Fault('CONFIG_INVALID', { file, why: error.message }, { cause: error });
  }
}

const verdicts = {
  outlives: 'outlives its fleet',
  'ends-before': 'ends before its fleet, and its units with it',
  ended: 'has ended, and its units with it',
  fresh: 'fresh',
  renew: 'to be renewed: half of its time is over',
  'ran-out': 'ran out: whoever asks for it accepts nothing',
} as const;

function linesOf({ authorities, lists, unitsAffected }: Foresight, paint: Paint): readonly string[] {
  return [
    paint.strong('Authorities'),
    ...columns(
      authorities.map((one) => [
        `  ${one.name}`,
        dayOf(one.notAfterMs),
        `${one.units} units`,
        verdicts[one.verdict],
      ]),
    ),
    '',
    paint.strong('Lists'),
    ...columns(lists.map((one) => [`  ${one.name}`, dayOf(one.nextUpdateMs), verdicts[one.verdict]])),
    '',
    `${unitsAffected} units die before their fleet is meant to.`,
  ];
}

function dayOf(atMs: number): string {
  return atMs >= FAR_DATE_MS ? 'never' : instantOf(atMs).slice(0, 10);
}
