/** `holdfast pki root init|certify|crl`: the offline root, in a directory of its own. */
import { fromText, toHex } from '../../core/bytes.ts';
import { parseAuthority } from '../../core/pki/authority.ts';
import { type RevocationReason, reasonNames } from '../../core/pki/crl.ts';
import { fromPem, toPem } from '../../core/pki/pem.ts';
import { serialFrom } from '../../core/pki/profile.ts';
import {
  type CertifyPlan,
  certifyPlan,
  identifiersOfRoot,
  planHashOf,
  type RootCrlPlan,
  type RootDirectory,
  requestedKey,
  rootCrlPlan,
  rootForm,
} from '../../core/pki/root.ts';
import {
  certifyIntermediate,
  issueRootCrl,
  makeRoot,
  type RootWork,
  rootOf,
} from '../../core/pki/root-office.ts';
import { FAR_DATE_MS } from '../../core/pki/time.ts';
import { ExitCode } from '../../program.ts';
import {
  type Arguments,
  type Command,
  countOf,
  isSet,
  listOf,
  type Option,
  textOf,
  usage,
} from '../command.ts';
import { formIn, needed } from '../given.ts';
import type { Means } from '../means.ts';
import { approvalsOf, dateOf, executeOptions, secondOf, writePlan } from './given.ts';

const DAY_MS = 86_400_000;
/** Clocks of verifiers differ. */
const BACKDATE_MS = 60_000;

const directoryOption = {
  dir: { type: 'string', value: 'ROOT', help: 'directory of the root, on a machine without a network' },
} as const satisfies Readonly<Record<string, Option>>;

const planOption = {
  plan: { type: 'string', value: 'FILE', help: 'where the plan is written, for officers to approve' },
} as const satisfies Readonly<Record<string, Option>>;

export const rootInitCommand: Command = {
  name: 'pki root init',
  summary: 'makes a root: its key, its certificate, and its first list without entries',
  options: {
    ...directoryOption,
    form: {
      type: 'string',
      value: 'FILE',
      help: 'JSON (holdfast/root-1): name, key file or token, officers and how many must agree, identifiers',
    },
    p384: { type: 'boolean', help: 'a P-384 key; P-256 without' },
    'not-after': { type: 'string', value: 'DATE', help: 'end of the root (default never)' },
  },
  notes: ['A key file is for laboratories: elsewhere the ceremony has made the key in a token.'],
  examples: ['holdfast pki root init --dir offline-root --form root-form.json'],
  run: async (given, means) => {
    const path = needed(given, 'dir', 'where the root lives');
    const form = formIn(needed(given, 'form', 'what the root is'), rootForm, means.files);
    await means.pki.makeRoot(path, form, isSet(given, 'p384') ? 'P-384' : 'P-256');
    return withRoot(path, means, async (work) => {
      const notAfterMs = dateOf(textOf(given, 'not-after') ?? 'never');
      const birth = {
        serial: serialFrom(means.pki.random(16)),
        notBeforeMs: Math.floor(means.now() / 1000) * 1000 - BACKDATE_MS,
        notAfterMs,
      };
      const certificate = await makeRoot(birth, work);
      await means.write(`${path}/root.pem`, fromText(toPem('CERTIFICATE', certificate)));
      if (!work.directory.entries.some(({ kind }) => kind === 'crl')) {
        const crl = await issueRootCrl(nextCrlPlan(work, [], form.crlDays), [], work);
        await means.write(`${path}/root.crl.pem`, fromText(toPem('X509 CRL', crl)));
      }
      const { keyIdentifier } = rootOf(work.directory);
      say(given, means, {
        root: toHex(keyIdentifier ?? new Uint8Array(0)),
        certificate: `${path}/root.pem`,
        crl: `${path}/root.crl.pem`,
      });
    });
  },
};

export const rootCertifyCommand: Command = {
  name: 'pki root certify',
  summary: 'plans the certificate of an intermediate, and signs an approved plan',
  options: {
    ...directoryOption,
    ...planOption,
    ...executeOptions,
    request: { type: 'string', value: 'FILE', help: 'PKCS#10 or public key of the intermediate, PEM' },
    as: { type: 'string', value: 'NAME', help: 'the intermediate as tickets name it' },
    'common-name': { type: 'string', value: 'TEXT', help: 'its common name (default: its name)' },
    product: {
      type: 'string',
      value: 'TEXT',
      help: 'scope: only units of this product; LINE* for all that begin so',
    },
    batch: {
      type: 'string',
      value: 'TEXT',
      help: 'scope: only units of this batch; LINE-* for all that begin so',
    },
    region: { type: 'string', value: 'TEXT', help: 'scope: only units of gateways in this region' },
    'distribution-point': {
      type: 'string',
      value: 'URL',
      help: 'URL of the root’s list, in the certificate',
    },
    'not-after': {
      type: 'string',
      value: 'DATE',
      help: 'end of the intermediate (default never: as its units)',
    },
  },
  notes: ['Of a request nothing but the public key is taken: no name, no extension that it asks for.'],
  examples: [
    'holdfast pki root certify --dir offline-root --request line-1.csr --as line-1 --batch B-7 --plan plan.json',
    'holdfast pki root certify --dir offline-root --execute plan.json --approval ada.jws --approval bob.jws --out line-1.pem',
  ],
  run: (given, means) =>
    withRoot(needed(given, 'dir', 'where the root lives'), means, async (work) => {
      const execute = textOf(given, 'execute');
      if (execute === null) {
        const plan = certifyPlanOf(given, work, means);
        await writePlan(needed(given, 'plan', 'where the plan is written'), plan, means);
        say(given, means, { plan: planHashOf(plan, means.crypto), ...quorumOf(work.directory) });
        return;
      }
      const plan = formIn(execute, certifyPlan, means.files);
      const certificate = await certifyIntermediate(plan, approvalsOf(given, means), work);
      const out = needed(given, 'out', 'where the certificate is written');
      await means.write(out, fromText(toPem('CERTIFICATE', certificate)));
      const { serial } = parseAuthority(certificate, identifiersOfRoot(work.directory.form));
      say(given, means, { intermediate: plan.name, serial: toHex(serial), certificate: out });
    }),
};

export const rootCrlCommand: Command = {
  name: 'pki root crl',
  summary: 'plans the next list of the root, with intermediates that it revokes, and signs an approved plan',
  options: {
    ...directoryOption,
    ...planOption,
    ...executeOptions,
    revoke: {
      type: 'string',
      value: 'NAME',
      multiple: true,
      help: 'an intermediate that falls; once for each',
    },
    reason: { type: 'string', value: 'REASON', help: `${reasonNames.join(', ')} (default cACompromise)` },
    days: {
      type: 'string',
      value: 'N',
      help: 'until the next list; standard verifiers obey by then at the latest',
    },
  },
  examples: [
    'holdfast pki root crl --dir offline-root --revoke line-1 --plan plan.json',
    'holdfast pki root crl --dir offline-root --execute plan.json --approval ada.jws --approval bob.jws --out root.crl.pem',
  ],
  run: (given, means) =>
    withRoot(needed(given, 'dir', 'where the root lives'), means, async (work) => {
      const execute = textOf(given, 'execute');
      if (execute === null) {
        const days = countOf(given, 'days', 1) ?? work.directory.form.crlDays;
        const plan = nextCrlPlan(work, revokedIn(given, work), days);
        await writePlan(needed(given, 'plan', 'where the plan is written'), plan, means);
        say(given, means, { plan: planHashOf(plan, means.crypto), ...quorumOf(work.directory) });
        return;
      }
      const plan = formIn(execute, rootCrlPlan, means.files);
      const crl = await issueRootCrl(plan, approvalsOf(given, means), work);
      const out = needed(given, 'out', 'where the list is written');
      await means.write(out, fromText(toPem('X509 CRL', crl)));
      say(given, means, {
        number: plan.number,
        revoked: plan.revoked.length,
        crl: out,
        nextUpdate: plan.nextUpdate,
      });
    }),
};

/** The number that follows, and everything that was revoked before with what is revoked now. */
export function nextCrlPlan(
  { directory, nowMs }: RootWork,
  revoked: RootCrlPlan['revoked'],
  days: number,
): RootCrlPlan {
  const before = directory.entries.filter((one) => one.kind === 'crl').at(-1);
  const known = before?.revoked ?? [];
  const fresh = revoked.filter(({ serial }) => !known.some((one) => one.serial === serial));
  return {
    contract: 'holdfast/root-crl-plan-1',
    root: toHex(rootOf(directory).keyIdentifier ?? new Uint8Array(0)),
    number: (before?.number ?? 0) + 1,
    thisUpdate: secondOf(nowMs - BACKDATE_MS),
    nextUpdate: secondOf(nowMs + days * DAY_MS),
    revoked: [...known, ...fresh],
  };
}

function revokedIn(given: Arguments, { directory, nowMs }: RootWork): RootCrlPlan['revoked'] {
  const typed = textOf(given, 'reason') ?? 'cACompromise';
  const reason = reasonNames.find((name): name is RevocationReason => name === typed);
  if (reason === undefined) throw usage(`--reason takes one of ${reasonNames.join(', ')}`);
  return listOf(given, 'revoke').map((name) => {
    const found = directory.entries.find((one) => one.kind === 'certified' && one.name === name);
    if (found?.kind !== 'certified') throw usage(`this root has not certified ${name}`);
    return { name, serial: found.serial, reason, revokedAt: secondOf(nowMs) };
  });
}

function certifyPlanOf(given: Arguments, { directory, nowMs }: RootWork, means: Means): CertifyPlan {
  const name = needed(given, 'as', 'the intermediate as tickets name it');
  const [product, batch, region] = ['product', 'batch', 'region'].map((part) => textOf(given, part));
  const notAfterMs = Math.min(dateOf(textOf(given, 'not-after') ?? 'never'), FAR_DATE_MS);
  return certifyPlan.parse({
    contract: 'holdfast/certify-plan-1',
    root: toHex(rootOf(directory).keyIdentifier ?? new Uint8Array(0)),
    name,
    commonName: textOf(given, 'common-name') ?? name,
    publicKey: toHex(keyIn(needed(given, 'request', 'the request or public key'), means)),
    scope: product === null && batch === null && region === null ? null : { product, batch, region },
    distributionPoint: textOf(given, 'distribution-point'),
    serial: toHex(serialFrom(means.pki.random(16))),
    notBefore: secondOf(nowMs - BACKDATE_MS),
    notAfter: secondOf(Math.min(notAfterMs, rootOf(directory).notAfterMs)),
  });
}

/** @throws Fault ROOT_REFUSED, USAGE, FILE_UNREADABLE */
function keyIn(path: string, { files, crypto }: Means): Uint8Array {
  const text = files.read(path);
  const [request] = fromPem('CERTIFICATE REQUEST', text);
  if (request !== undefined) return requestedKey(request, 'request', crypto);
  const [key] = fromPem('PUBLIC KEY', text);
  if (key !== undefined) return requestedKey(key, 'public-key', crypto);
  throw usage(`${path} is neither a PKCS#10 request nor a public key, PEM`);
}

async function withRoot(path: string, means: Means, act: (work: RootWork) => Promise<void>): Promise<number> {
  const directory = await means.pki.openRoot(path);
  try {
    await act({ directory, crypto: means.crypto, nowMs: means.now() });
    return ExitCode.done;
  } finally {
    await directory.close();
  }
}

function quorumOf({ form }: RootDirectory): Readonly<Record<string, string | number>> {
  return { approvals: form.quorum.required, officers: form.quorum.officers.join(', ') };
}

function say(given: Arguments, means: Means, facts: Readonly<Record<string, string | number>>): void {
  if (isSet(given, 'json')) means.print(JSON.stringify(facts));
  else for (const [name, value] of Object.entries(facts)) means.print(`${name}: ${value}`);
}
