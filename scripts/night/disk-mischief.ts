/** Storage that is exchanged while a station is down, and the technician who puts it right. */
import { createJournalDisk, type JournalDisk } from '../../drivers/journal/in-memory.ts';
import { fromText, toText } from '../../runtime/core/bytes.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import type { Death } from './life.ts';
import type { Place, Plant } from './plant.ts';
import type { Mishap } from './story.ts';

const DOWN: Death = { downMs: 500, kept: true, power: false };

/** Takes the copy when its time comes, exchanges the storage later, and puts it back or sets it up anew at the end. */
export function exchangeDisk(
  plant: Plant,
  mishap: Extract<Mishap, { kind: 'disk-exchanged' }>,
  struck: () => void,
): void {
  const { clock } = plant;
  const place = plant.places.find(({ name }) => name === mishap.program);
  if (place === undefined) return;
  let copy: JournalDisk | null = null;
  const isOld = mishap.what === 'old' || mishap.what === 'behind';
  clock.after(mishap.backupMs, () => {
    copy = place.disk !== null && place.ownDisks.includes(place.disk) ? copyOf(place.disk) : null;
  });
  clock.after(mishap.atMs, () => {
    const own = place.disk;
    if (own === null || !place.ownDisks.includes(own)) return; // Exchanged already.
    if (mishap.what === 'behind') copy = lackingLast(own);
    if (isOld && copy === null) return;
    plant.programs.get(place.name)?.kill(DOWN);
    struck();
    if (isOld) {
      place.disk = copy;
      if (copy !== null) place.ownDisks.push(copy);
    } else place.disk = mishap.what === 'blank' ? null : foreignDisk(plant, place);
    clock.after(mishap.forMs, () => {
      if (isOld) return setUpAnewIfHeld(plant, place);
      plant.programs.get(place.name)?.kill(DOWN);
      place.disk = own;
    });
  });
}

/** The remedy of JOURNAL_ROLLED_BACK: a new journal, and what the backend knows. */
export function setUpAnewIfHeld(plant: Plant, place: Place): void {
  const program = plant.programs.get(place.name);
  if (program?.station?.journalTrouble?.code !== 'JOURNAL_ROLLED_BACK') return;
  program.kill(DOWN);
  const disk = createJournalDisk({
    journal: `00000000-0000-4000-800${place.index}-${String(place.ownDisks.length).padStart(12, '0')}`,
    station: place.name,
    created: instantOf(plant.clock.now()),
  });
  place.disk = disk;
  place.ownDisks.push(disk);
}

function foreignDisk({ places }: Plant, place: Place): JournalDisk {
  const other = copyOf(places.find((one) => one !== place)?.disk ?? null);
  const genesis = { journal: '00000000-0000-4000-8000-999999999999', created: instantOf(0) };
  return other ?? createJournalDisk({ ...genesis, station: 'station-elsewhere' });
}

/** The storage as it was before the last entry came: the nearest to itself that an older state can be. */
function lackingLast(disk: JournalDisk): JournalDisk | null {
  const own = copyOf(disk);
  if (own === null) return null;
  const { durable } = own;
  const last = [...durable.keys()]
    .filter((key) => key.startsWith('j!'))
    .sort()
    .at(-1);
  const before = keyBefore(last ?? 'j!0');
  const stored = durable.get(before);
  if (last === undefined || stored === undefined) return null;
  // That entry has given up others: before it came, they were there.
  if (cutBy(durable.get('cut')) >= Number(last.slice(2))) return null;
  durable.delete(last);
  durable.delete(last.replace('j', 'o'));
  const anchor = durable.get('anchor');
  if (anchor === undefined) return own;
  const { sequence } = JSON.parse(toText(anchor)) as { readonly sequence: number };
  // Acknowledged up to the one before, as the backend had it then.
  if (sequence === Number(last.slice(2)))
    durable.set(
      'anchor',
      fromText(JSON.stringify({ hash: toText(stored).slice(-64), sequence: sequence - 1 })),
    );
  return own;
}

function cutBy(stored: Uint8Array | undefined): number {
  return stored === undefined ? -1 : (JSON.parse(toText(stored)) as { readonly by: number }).by;
}

function keyBefore(key: string): string {
  return `j!${String(Number(key.slice(2)) - 1).padStart(16, '0')}`;
}

function copyOf(disk: JournalDisk | null): JournalDisk | null {
  return disk === null ? null : { ...disk, durable: new Map(disk.durable), holder: 0 };
}
