/** Rules of progress: when nothing more befalls the plant, everything ends well and soon, and nothing has grown. */
import { departures, type Rule, writtenTo } from './rule.ts';

/** Timers and messages that a plant at rest may have before it. */
const PENDING_MAX = 400;
/** Entries that one unit may cost a journal; a unit without trouble costs about fourteen. */
const ENTRIES_MAX = 400;

export const progressRules: readonly Rule[] = [
  {
    name: 'L1',
    says: 'after the last mishap every unit is released or rejected in time',
    end: ({ plant, story, mischief, done }, blame) => {
      if (done) return;
      const left = new Set(departures(plant).map(({ unit }) => unit));
      const lost = Array.from({ length: story.units }, (_, i) => i + 1).filter((unit) => !left.has(unit));
      const places = plant.places.map(
        ({ name, fixture }) => `${name} has ${fixture.line.unit() ?? 'nobody'}`,
      );
      const states = [...plant.programs.values()].map(({ name, station, ends }) => {
        const view = station?.nests[0]?.view;
        return `${name} ${view?.state ?? ''} ${view?.held?.code ?? ''} ${ends.at(-1) ?? ''}`;
      });
      blame(`units ${lost} are still there (${places}; ${states}; in hand ${[...mischief.inHand]})`);
    },
  },
  {
    name: 'I15',
    says: 'nothing goes wrong that has no name',
    end: ({ plant }, blame) => {
      for (const { level, fields } of plant.log.lines)
        if (level === 'error' && fields.code !== 'JOURNAL_ROLLED_BACK')
          blame(`an unexpected error: ${JSON.stringify(fields).slice(0, 400)}`);
    },
  },
  {
    name: 'L3',
    says: 'no station starves: each has released what was fed to it, and has told the backend all of it',
    end: ({ plant, done }, blame) => {
      if (!done) return;
      for (const { name, disk, fixture } of plant.places) {
        if (fixture.line.waiting() > 0) blame(`${name} still waits for ${fixture.line.waiting()} units`);
        const entries = disk === null ? 0 : writtenTo(disk);
        const known = plant.fleet.tables.events.group(`${name}\u0000${disk?.genesis.journal}`).length;
        const told = plant.programs.get(name)?.station?.journalTrouble ?? null;
        if (known < entries && told === null)
          blame(`the backend knows ${known} of ${entries} entries of ${name}`);
      }
    },
  },
  {
    name: 'I12',
    says: 'nothing grows without bound: neither timers, nor messages under way, nor journals',
    end: ({ plant, story, done }, blame) => {
      if (done && plant.clock.pending() > PENDING_MAX) blame(`${plant.clock.pending()} timers are left`);
      for (const { name, disk } of plant.places) {
        const entries = disk === null ? 0 : writtenTo(disk);
        if (entries > ENTRIES_MAX * (1 + story.units)) blame(`${name} has written ${entries} entries`);
      }
    },
  },
];
