/** `holdfast operator draft`, `approve`, `register`, `remove` and `list`: who may sign in, as officers decide it. */
import { toHex } from '../../core/bytes.ts';
import { instantOf } from '../../core/instant.ts';
import {
  listOperatorsInstruction,
  operatorOrder,
  operatorOrderHash,
  operatorRemovalHash,
  pseudonym,
  registerOperatorInstruction,
  removeOperatorInstruction,
} from '../../core/messages/operator.ts';
import { ExitCode } from '../../program.ts';
import { type Approved, approvalOptions, approve } from '../approval.ts';
import { type Arguments, type Command, isSet, type Option, textOf, usage } from '../command.ts';
import { formIn, needed } from '../given.ts';
import type { Means } from '../means.ts';
import { socketOf, socketOptions } from '../program-place.ts';
import { badgeIn, badgeOptions } from './badge.ts';

const APPROVALS_MAX = 16;
const SALT_BYTES = 16;

const forget: Option = {
  type: 'boolean',
  help: 'deletes the key too: nothing leads from the pseudonym to a person any more',
};

export const operatorDraftCommand: Command = {
  name: 'operator draft',
  summary: 'prints the order to register a badge, for officers to approve',
  options: {
    ...badgeOptions,
    name: { type: 'string', value: 'TEXT', help: 'shown to the technician who signs in' },
  },
  notes: ['The order holds the badge: keep it from others, and destroy it when it is carried out.'],
  examples: ['holdfast operator draft --reader --name "Ada L." > ada.order'],
  run: async (given, means) => {
    const order = operatorOrder.safeParse({
      contract: 'holdfast/operator-order-1',
      name: needed(given, 'name', 'whose badge it is'),
      badge: await badgeIn(given, means),
      salt: toHex(means.ceremony.random(SALT_BYTES)),
      madeAt: instantOf(means.now()),
    });
    if (!order.success) throw usage('a name has at most 64 letters, digits, spaces, dots and hyphens');
    means.print(JSON.stringify(order.data));
    return ExitCode.done;
  },
};

export const operatorApproveCommand: Command = {
  name: 'operator approve',
  summary: 'an officer’s signature: for an order, or with --remove for a removal',
  operands: '[ORDER]',
  operandsMax: 1,
  options: {
    remove: { type: 'string', value: 'PSEUDONYM', help: 'approves that this operator signs in no more' },
    forget,
    ...approvalOptions,
  },
  examples: [
    'holdfast operator approve ada.order --officer bob --key bob.key --reason "new on line 3" > bob.approval',
    'holdfast operator approve --remove op-… --forget --officer bob --key bob.key --reason "left" > bob.approval',
  ],
  run: (given, means) => approve(given, means, approved(given, means)),
};

function approved(given: Arguments, means: Means): Approved {
  const of = textOf(given, 'remove');
  const [file] = given.operands;
  if ((of === null) === (file === undefined)) throw usage('say what: an ORDER, or --remove PSEUDONYM');
  if (of !== null) {
    const removal = { pseudonym: pseudonymIn(of), forget: isSet(given, 'forget') };
    return {
      purpose: 'operator',
      subject: operatorRemovalHash(removal, means.crypto),
      lines: [`${of} is to sign in no more${removal.forget ? ', and to be forgotten' : ''}`],
    };
  }
  const order = formIn(file ?? '', operatorOrder, means.files);
  return {
    purpose: 'operator',
    subject: operatorOrderHash(order, means.crypto),
    lines: [`${order.name} is to sign in with the badge of this order`],
  };
}

export const operatorRegisterCommand: Command = {
  name: 'operator register',
  summary: 'has the backend register the badge of an order that enough officers have approved',
  operands: 'ORDER APPROVAL...',
  operandsMax: 1 + APPROVALS_MAX,
  options: { ...socketOptions },
  notes: ['The backend keeps a keyed hash of the badge. Its number is stored nowhere.'],
  examples: ['holdfast operator register ada.order bob.approval eve.approval --dir /etc/holdfast-backend'],
  run: async (given, means) => {
    const [file, ...files] = given.operands;
    if (file === undefined) throw usage('say which order, and the files of the approvals');
    const body = { order: formIn(file, operatorOrder, means.files), approvals: readAll(files, means) };
    const done = await means.instruct(socketOf('backend', given, means), registerOperatorInstruction, body);
    if (isSet(given, 'json')) means.print(JSON.stringify(done));
    else means.print(`${body.order.name} is ${done.pseudonym}`);
    return ExitCode.done;
  },
};

export const operatorRemoveCommand: Command = {
  name: 'operator remove',
  summary: 'has the backend let an operator sign in no more, as officers approved',
  operands: 'PSEUDONYM APPROVAL...',
  operandsMax: 1 + APPROVALS_MAX,
  options: { forget, ...socketOptions },
  notes: [
    'What was made in past shifts keeps the pseudonym. A shift that goes on is the authority’s from the next unit on.',
    'Copies of the database from before --forget still hold the key: they must end too.',
  ],
  examples: ['holdfast operator remove op-… bob.approval eve.approval --forget'],
  run: async (given, means) => {
    const [of, ...files] = given.operands;
    const removal = { pseudonym: pseudonymIn(of ?? ''), forget: isSet(given, 'forget') };
    const body = { ...removal, approvals: readAll(files, means) };
    const done = await means.instruct(socketOf('backend', given, means), removeOperatorInstruction, body);
    if (isSet(given, 'json')) means.print(JSON.stringify(done));
    else
      means.print(
        `${done.pseudonym} is ${removal.forget ? 'forgotten' : 'removed'}: leaf ${done.leafIndex} of the log`,
      );
    return ExitCode.done;
  },
};

export const operatorListCommand: Command = {
  name: 'operator list',
  summary: 'who may sign in, with the pseudonyms of log and records; on the backend’s machine',
  options: { ...socketOptions },
  notes: ['A pseudonym is what holdfast fleet blast-radius --operator asks for.'],
  examples: ['holdfast operator list'],
  run: async (given, means) => {
    const { operators } = await means.instruct(
      socketOf('backend', given, means),
      listOperatorsInstruction,
      {},
    );
    if (isSet(given, 'json')) means.print(JSON.stringify(operators));
    else
      for (const { pseudonym: of, name, removedAt } of operators)
        means.print(`${of}  ${name}${removedAt === null ? '' : `  removed ${removedAt}`}`);
    return ExitCode.done;
  },
};

function readAll(files: readonly string[], means: Means): string[] {
  return files.map((path) => means.files.read(path).trim());
}

/** @throws Fault USAGE */
function pseudonymIn(typed: string): string {
  const found = pseudonym.safeParse(typed);
  if (!found.success) throw usage('a pseudonym is op- and 32 hexadecimal digits, as operator list prints it');
  return found.data;
}
