/** `holdfast enrol code` and `crl`: the bus authority's one-time codes, and its list of revoked certificates. */
import { instantOf } from '../../core/instant.ts';
import { revokedSerials } from '../../core/messages/enrolment-register.ts';
import { partyName } from '../../core/messages/fields.ts';
import { ExitCode } from '../../program.ts';
import { type Command, countOf, textOf, usage } from '../command.ts';
import { needed } from '../given.ts';
import { authorityIn, authorityOptions, registerIn } from './place.ts';

const HOUR_MS = 3_600_000;
const HOURS = 24;
const DAY_MS = 86_400_000;
/** A broker refuses everybody when its list has ended: it is made anew every day. */
const CRL_DAYS = 30;

export const enrolCodeCommand: Command = {
  name: 'enrol code',
  summary: 'at the bus authority: prints a code that vouches for one enrolment of one station',
  operands: 'STATION',
  operandsMax: 1,
  options: {
    register: authorityOptions.register,
    hours: { type: 'string', value: 'N', help: `how long it counts (default ${HOURS})` },
  },
  notes: ['Carry it to the station by hand, in a file that is removed afterwards.'],
  examples: ['holdfast enrol code station-1 --register bus.register > code.txt'],
  run: async (given, means) => {
    const station = partyName.safeParse(given.operands[0]);
    if (!station.success) throw usage('say which station: a-z, 0-9 and hyphen, at most 32');
    const register = registerIn(given, means);
    const nowMs = means.now();
    const notAfter = instantOf(nowMs + (countOf(given, 'hours', 1) ?? HOURS) * HOUR_MS);
    const code = means.enrolment.drawCode();
    register.note({ kind: 'code', at: instantOf(nowMs), station: station.data, code, notAfter });
    means.print(code);
    means.talk(`for ${station.data}, until ${notAfter}, once`);
    return ExitCode.done;
  },
};

export const enrolCrlCommand: Command = {
  name: 'enrol crl',
  summary: 'at the bus authority: prints the list of revoked certificates that the broker reads',
  options: {
    ...authorityOptions,
    revoke: { type: 'string', value: 'STATION', help: 'first notes that this station is revoked' },
    reason: { type: 'string', value: 'TEXT', help: 'why, with --revoke' },
    days: { type: 'string', value: 'N', help: `until the next is due (default ${CRL_DAYS}); make it daily` },
  },
  notes: [
    'A broker reads it on SIGHUP. It refuses new connections by it; one that stands stays until it ends, which is why',
    'gateway and backend refuse every request of a revoked station by themselves.',
    'A broker whose list has ended refuses everybody.',
  ],
  examples: [
    'holdfast enrol crl --ca bus-ca.pem --ca-key bus-ca.key --register bus.register --revoke station-1 --reason stolen > crl.pem',
  ],
  run: async (given, means) => {
    const authority = authorityIn(given);
    const station = textOf(given, 'revoke');
    const nowMs = means.now();
    const at = instantOf(nowMs);
    const { entries, note } = registerIn(given, means);
    if (station !== null) {
      const reason = needed(given, 'reason', 'why it is revoked');
      if (!entries.some((entry) => entry.kind === 'revoked' && entry.station === station))
        note({ kind: 'revoked', at, station, reason });
    }
    const present = registerIn(given, means).entries;
    const number = 1 + present.filter(({ kind }) => kind === 'crl').length;
    note({ kind: 'crl', at, number });
    const order = {
      number,
      thisUpdateMs: nowMs,
      nextUpdateMs: nowMs + (countOf(given, 'days', 1) ?? CRL_DAYS) * DAY_MS,
      entries: revokedSerials(present, nowMs),
    };
    means.print((await means.enrolment.crl(authority, order)).trimEnd());
    means.talk(`list ${number}: ${order.entries.length} certificates`);
    return ExitCode.done;
  },
};
