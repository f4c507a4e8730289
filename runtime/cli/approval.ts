/** What every command has by which an officer signs the hash of something: the same options, the same answer. */
import { type OfficerTokenFile, officerTokenFile } from '../../config/ceremony.ts';
import { fromText } from '../core/bytes.ts';
import { instantOf } from '../core/instant.ts';
import { type ApprovalPurpose, approvalStatement } from '../core/messages/approval.ts';
import { seal } from '../core/messages/envelope.ts';
import type { Signer } from '../core/ports.ts';
import { ExitCode } from '../program.ts';
import { type Arguments, countOf, isSet, type Option, textOf, usage } from './command.ts';
import { formIn, needed } from './given.ts';
import type { Means } from './means.ts';

const DAY_MS = 86_400_000;
/** How long an approval counts, where nothing else is said. */
const DAYS = 7;

/** Who signs, and with which key. */
export const officerOptions = {
  officer: { type: 'string', value: 'NAME', help: 'the officer who signs, as the programs name them' },
  key: { type: 'string', value: 'FILE', help: 'the officer’s P-256 key, PEM, mode 0600 (laboratory)' },
  'officer-token': {
    type: 'string',
    value: 'FILE',
    help: 'JSON that says where the officer’s own token is: module, label, pinFile, key',
  },
} as const satisfies Readonly<Record<string, Option>>;

export const approvalOptions = {
  ...officerOptions,
  reason: { type: 'string', value: 'TEXT', help: 'why, for whoever reads it later' },
  days: { type: 'string', value: 'N', help: `the approval counts for so many days (default ${DAYS})` },
  out: { type: 'string', value: 'FILE', help: 'where the approval is written (default: standard output)' },
} as const satisfies Readonly<Record<string, Option>>;

/** What an officer is asked to sign. */
export interface Approved {
  readonly purpose: ApprovalPurpose;
  /** SHA-256, hexadecimal. */
  readonly subject: string;
  /** Shown before it is signed. */
  readonly lines?: readonly string[];
}

/** Signs, and prints or writes the approval. @throws Fault USAGE, FILE_UNREADABLE, TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG */
export async function approve(given: Arguments, means: Means, approved: Approved): Promise<number> {
  const nowMs = means.now();
  const { purpose, subject, lines = [] } = approved;
  const payload = approvalStatement.payload.safeParse({
    ...{ purpose, subject, officer: needed(given, 'officer', 'who approves') },
    reason: needed(given, 'reason', 'why you approve'),
    approvedAt: instantOf(nowMs),
    notAfter: instantOf(nowMs + (countOf(given, 'days', 1) ?? DAYS) * DAY_MS),
  });
  if (!payload.success) throw usage('a name is of a-z, 0-9 and hyphen, a reason of at most 200 characters');
  await using signer = await openOfficer(given, means);
  for (const line of lines) means.talk(line);
  const jws = await seal(approvalStatement, payload.data, signer, means.crypto);
  const out = textOf(given, 'out');
  if (out !== null) await means.write(out, fromText(`${jws}\n`));
  const { officer } = payload.data;
  if (isSet(given, 'json')) means.print(JSON.stringify({ officer, purpose, subject, approval: jws }));
  else means.print(out === null ? jws : `${officer} approved the ${purpose} ${subject}`);
  return ExitCode.done;
}

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID, TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG */
export function openOfficer(given: Arguments, means: Means): Promise<Signer & AsyncDisposable> {
  const [file, token] = [textOf(given, 'key'), textOf(given, 'officer-token')];
  if (file !== null && token === null) return means.openSigner({ file });
  if (file === null && token !== null) return means.openSigner({ token: officerTokenIn(token, means) });
  throw usage('say which key the officer signs with: --key FILE or --officer-token FILE');
}

/** @throws Fault FILE_UNREADABLE, CONFIG_INVALID */
export function officerTokenIn(path: string, means: Means): OfficerTokenFile {
  return formIn(path, officerTokenFile, means.files);
}
