/** `holdfast fleet life`: has the backend make an order about a unit, has officers approve it, and has it executed. */
import { type LifeAct, lifeActs, lifeRules } from '../../core/history/life.ts';
import { executeLifeInstruction, lifeOrder, planLifeInstruction } from '../../core/messages/unit-life.ts';
import { planHashOf } from '../../core/pki/root.ts';
import { ExitCode } from '../../program.ts';
import { approvalOptions, approve } from '../approval.ts';
import { type Arguments, type Command, isSet, textOf, usage } from '../command.ts';
import { formIn, needed } from '../given.ts';
import type { Means } from '../means.ts';
import { approvalsOf, executeOptions, writePlan } from '../pki/given.ts';
import { socketOf, socketOptions } from '../program-place.ts';

export const fleetLifeCommand: Command = {
  name: 'fleet life',
  summary: 'quarantine, rework, RMA, scrap or retirement of a unit, as officers approve it',
  options: {
    eid: { type: 'string', value: 'EID', help: 'the unit' },
    act: { type: 'string', value: 'ACT', help: lifeActs.join(', ') },
    reason: { type: 'string', value: 'TEXT', help: 'why; stands in the log for ever' },
    evidence: {
      type: 'string',
      value: 'SHA256',
      help: 'of what shows that the card is terminated; for scrap',
    },
    order: { type: 'string', value: 'FILE', help: 'writes the order for officers to approve' },
    execute: executeOptions.execute,
    approval: executeOptions.approval,
    ...socketOptions,
  },
  notes: [
    ...lifeActs.map(
      (act) => `${act.padEnd(10)} of ${lifeRules[act].from.join(', ')}: ${lifeRules[act].says}`,
    ),
    'An order names the last event of the unit: once anything else has happened to it, a new order is needed.',
  ],
  examples: [
    'holdfast fleet life --eid 89049032000000000000000000000123 --act quarantine --reason "found open" --order q.json',
    'holdfast fleet approve q.json --officer ada --key ada.key --reason "seen" --out ada.jws',
    'holdfast fleet life --execute q.json --approval ada.jws --approval bob.jws',
  ],
  run: (given, means) => (textOf(given, 'execute') === null ? plan(given, means) : execute(given, means)),
};

async function plan(given: Arguments, means: Means): Promise<number> {
  const asked = planLifeInstruction.body.safeParse({
    eid: needed(given, 'eid', 'which unit'),
    act: actOf(needed(given, 'act', lifeActs.join(', '))),
    reason: needed(given, 'reason', 'why'),
    evidence: textOf(given, 'evidence'),
  });
  if (!asked.success)
    throw usage('an EID has 32 digits, a reason at most 200 characters, a SHA-256 64 hexadecimal digits');
  const order = await means.instruct(socketOf('backend', given, means), planLifeInstruction, asked.data);
  const out = textOf(given, 'order');
  if (out !== null) await writePlan(out, order, means);
  const hash = planHashOf(order, means.crypto);
  if (isSet(given, 'json')) means.print(JSON.stringify({ hash, order }));
  else
    means.print(`${order.eid}: ${order.from} to ${order.to}, after leaf ${order.predecessor}; order ${hash}`);
  return ExitCode.done;
}

async function execute(given: Arguments, means: Means): Promise<number> {
  const order = formIn(textOf(given, 'execute') ?? '', lifeOrder, means.files);
  const done = await means.instruct(socketOf('backend', given, means), executeLifeInstruction, {
    order,
    approvals: [...approvalsOf(given, means)],
  });
  if (isSet(given, 'json')) means.print(JSON.stringify(done));
  else means.print(`${order.eid} is ${done.state} since ${done.at}: leaf ${done.leafIndex}`);
  return ExitCode.done;
}

function actOf(typed: string): LifeAct {
  const act = lifeActs.find((one) => one === typed);
  if (act === undefined) throw usage(`--act takes one of ${lifeActs.join(', ')}`);
  return act;
}

export const fleetApproveCommand: Command = {
  name: 'fleet approve',
  summary: 'an officer approves an order about a unit: signs its hash',
  operands: 'ORDER',
  operandsMax: 1,
  options: approvalOptions,
  examples: ['holdfast fleet approve q.json --officer ada --key ada.key --reason "seen" --out ada.jws'],
  run: async (given, means) => {
    const [path] = given.operands;
    if (path === undefined) throw usage('say which order: ORDER');
    const order = formIn(path, lifeOrder, means.files);
    const { eid, act, from, to, reason } = order;
    const lines = [`${eid}: ${act}, from ${from} to ${to}: ${reason}`];
    return approve(given, means, { purpose: 'unit-life', subject: planHashOf(order, means.crypto), lines });
  },
};
