/** Processes that die by SIGKILL or stand still by SIGSTOP: every part, and the children of our programs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { last, type Nemesis, NotStruck } from '../nemesis.ts';
import { childWith, ended, lives, signal, until } from '../processes.ts';
import type { ChaosStand, PartName } from '../stand.ts';

/** A killed process is gone by then. */
const GONE_MS = 5_000;
/** A child that was killed has its successor by then. */
const SUCCESSOR_MS = 20_000;

const HELD = 'held, then resumed and released';

/** Whose end ends others: the board lives on its serial line. */
const struckParts: readonly { readonly name: PartName; readonly kind: string; readonly expects: string }[] = [
  {
    name: 'station',
    kind: 'station',
    expects: 'stays clamped behind the shut gate; resumed from the journal',
  },
  { name: 'gateway', kind: 'gateway', expects: `${HELD}; the ledger goes on where it stood` },
  { name: 'backend', kind: 'backend', expects: `${HELD}; what was committed is answered again` },
  { name: 'mosquitto', kind: 'broker', expects: `${HELD}; everything unanswered is asked again` },
  { name: 'pcscd', kind: 'pcscd', expects: `${HELD}; the outcome is asked of the silicon` },
  { name: 'postgres', kind: 'postgres', expects: `${HELD}; what was committed is there` },
  { name: 'board', kind: 'board', expects: 'the gate shuts; a new arrival is named and the unit resumed' },
  { name: 'pty', kind: 'serial', expects: 'the gate shuts; a new arrival is named and the unit resumed' },
];

const mayEndBy = (name: PartName): readonly PartName[] => (name === 'pty' ? ['pty', 'board'] : [name]);

const kills: readonly Nemesis[] = struckParts.map(({ name, kind, expects }) => ({
  kind: name === 'pty' ? 'serial-cut' : `kill-${kind}`,
  on: mayEndBy(name),
  mayEnd: mayEndBy(name),
  expects,
  strike: async ({ parts }) => {
    const pid = parts[name].pid();
    parts[name].kill();
    if (!(await ended([pid], GONE_MS))) throw new NotStruck(`${name} outlived SIGKILL`);
  },
}));

const stops: readonly Nemesis[] = [
  ...struckParts,
  { name: 'chips' as const, kind: 'card', expects: 'the card does not answer in time: held, then resumed' },
].map(({ name, kind, expects }) => ({
  kind: name === 'pty' ? 'serial-stall' : `stop-${kind}`,
  on: mayEndBy(name),
  mayEnd: mayEndBy(name),
  expects: `${expects}; or waits and goes on`,
  strike: async ({ parts }, draw) => {
    const pid = parts[name].pid();
    signal(pid, 'SIGSTOP');
    const stopped = await until(() => lives(pid), GONE_MS);
    await last(draw);
    // Chips are not killed: silicon does not forget what it acknowledged.
    if (name !== 'chips' && draw.chance(0.5)) {
      parts[name].kill();
      if (!(await ended([pid], GONE_MS))) throw new NotStruck(`${name} outlived SIGKILL`);
    } else if (!stopped || !signal(pid, 'SIGCONT')) throw new NotStruck(`${name} was gone before it went on`);
  },
}));

interface Child {
  readonly kind: string;
  readonly parent: PartName;
  readonly command: string;
  readonly expects: string;
}

const children: readonly Child[] = [
  { kind: 'reader-child', parent: 'station', command: 'reader-child.js', expects: `${HELD} by a new child` },
  { kind: 'jig-child', parent: 'station', command: 'firmata/child.js', expects: `${HELD} by a new child` },
  { kind: 'token-child', parent: 'gateway', command: 'pkcs11/child.js', expects: `${HELD} by a new child` },
];

const childKills: readonly Nemesis[] = children.map((child) => ({
  ...ofChild(child),
  kind: `kill-${child.kind}`,
  strike: async (stand) => {
    const pid = await childOf(stand, child);
    signal(pid, 'SIGKILL');
    if (!(await ended([pid], GONE_MS))) throw new NotStruck(`${child.kind} outlived SIGKILL`);
    await succeeded(stand, child, pid);
  },
}));

const childStops: readonly Nemesis[] = children.map((child) => ({
  ...ofChild(child),
  kind: `stop-${child.kind}`,
  strike: async (stand, draw) => {
    const pid = await childOf(stand, child);
    signal(pid, 'SIGSTOP');
    await last(draw);
    // Its parent may have replaced it, which is as good.
    if (!signal(pid, 'SIGCONT')) await succeeded(stand, child, pid);
  },
}));

function ofChild({ parent, expects }: Child): Pick<Nemesis, 'on' | 'mayEnd' | 'expects'> {
  return { on: [parent], mayEnd: [], expects };
}

/** @throws NotStruck */
async function childOf({ parts }: ChaosStand, { parent, command, kind }: Child): Promise<number> {
  let pid: number | null = null;
  await until(() => {
    pid = parts[parent].runs() ? childWith(parts[parent].pid(), command) : null;
    return pid !== null;
  }, GONE_MS);
  if (pid === null) throw new NotStruck(`there is no ${kind}`);
  return pid;
}

async function succeeded(
  { parts }: ChaosStand,
  { parent, command, kind }: Child,
  pid: number,
): Promise<void> {
  const successor = (): boolean => {
    const child = parts[parent].runs() ? childWith(parts[parent].pid(), command) : null;
    return child !== null && child !== pid;
  };
  if (!(await until(successor, SUCCESSOR_MS))) throw new Error(`${kind} has no successor`);
}

const immediateShutdown: Nemesis = {
  kind: 'immediate-postgres',
  on: ['postgres'],
  mayEnd: ['postgres'],
  expects: `${HELD}; crash recovery brings back what was committed`,
  strike: async ({ parts }) => {
    const pid = parts.postgres.pid();
    // As `pg_ctl stop -m immediate` does.
    signal(pid, 'SIGQUIT');
    if (!(await ended([pid], GONE_MS))) throw new NotStruck('postgres outlived an immediate shutdown');
  },
};

/** pcscd looks at its readers every 400 ms: a card that is away for longer is seen to go and to come. */
const SEEN_MS = 600;

const unplug: Nemesis = {
  kind: 'reader-unplug',
  on: ['chips'],
  mayEnd: [],
  expects: `${HELD}; the card loses its power and its sessions`,
  strike: ({ chips }, draw) => unseat(chips, SEEN_MS + draw.fraction() * 1_000),
};

/** How long a technician watches a line that stands. */
const WATCHED_MS = 4_000;

/** A card that is away too shortly for pcscd to see may be taken for absent until it is seen to go: the chips of this
 * line are exchanged behind one connection, so the next unit's is then missed too. */
const contactLost: Nemesis = {
  kind: 'contact-lost',
  on: ['chips'],
  mayEnd: [],
  expects: 'resumed and released; or held with CARD_ABSENT until the unit is reseated, as the remedy says',
  strike: async ({ chips, infeed }, draw) => {
    const before = infeed.lines().length;
    await unseat(chips, 20 + draw.fraction() * 250);
    // Read since then: what came in afterwards has gone out again.
    const isRead = (): boolean => {
      const since = infeed.lines().slice(before);
      const came = new Set(since.flatMap((line) => (line.event === 'ARRIVED' ? [line.arrival] : [])));
      return since.some((line) => line.event === 'LEFT' && came.has(line.arrival));
    };
    if (!(await until(isRead, WATCHED_MS))) await unseat(chips, SEEN_MS);
  },
};

async function unseat(chips: ChaosStand['chips'], forMs: number): Promise<void> {
  await chips.ask({ verb: 'pull' });
  await sleep(forMs);
  await chips.ask({ verb: 'replug' });
}

export const processNemeses: readonly Nemesis[] = [
  ...kills,
  ...stops,
  ...childKills,
  ...childStops,
  immediateShutdown,
  unplug,
  contactLost,
];
