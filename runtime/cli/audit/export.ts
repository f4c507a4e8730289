/** `holdfast audit export`: the log as plain files, which an auditor checks without our servers. */
import { concat, equal, fromText } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { originOf, parseCheckpoint } from '../../core/log/checkpoint.ts';
import { noteIn, readNote } from '../../core/log/note.ts';
import {
  bundleOf,
  bundlePath,
  fullTiles,
  partialWidth,
  TILE_WIDTH,
  tileLevels,
  tilePath,
} from '../../core/log/tile.ts';
import type { HeadRow } from '../../core/store/fleet.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet, usage } from '../command.ts';
import { databaseOptions, openFleetOf } from '../fleet/place.ts';
import { needed } from '../given.ts';
import type { FleetReader, Means } from '../means.ts';
import { counted } from '../screen.ts';
import { createTileSource } from './tile-source.ts';

/** Cosignatures of one checkpoint. */
const WITNESSES_MAX = 64;

export const auditExportCommand: Command = {
  name: 'audit export',
  summary: 'writes the fleet log as plain files: tiles, bundles of entries, checkpoint',
  options: {
    ...databaseOptions,
    to: { type: 'string', value: 'DIR', help: 'where to; an earlier export there is continued' },
  },
  notes: [
    'The files are those of C2SP tlog-tiles. A log that does not contain the earlier export is not written over it.',
  ],
  examples: ['holdfast audit export --dir var/line --to export'],
  run: async (given, means) => {
    const to = needed(given, 'to', 'where the export goes');
    await using fleet = await openFleetOf(given, means);
    const written = await exportLog(fleet, to, means);
    if (isSet(given, 'json')) means.print(JSON.stringify(written));
    else means.print(`${counted(written.size, 'leaf', 'leaves')} in ${to}, ${written.files} files written`);
    return ExitCode.done;
  },
};

interface Written {
  readonly size: number;
  readonly files: number;
}

/** The checkpoint comes last: what it covers is there. @throws Fault LOG_FORKED, LOG_ROLLED_BACK */
async function exportLog(fleet: FleetReader, to: string, means: Means): Promise<Written> {
  const { shelf } = means.ceremony;
  const head = await fleet.read((view) => view.readHead());
  if (head.size === 0) throw usage('the log is empty: there is nothing to export yet');
  const before = await demandContinued(fleet, head, to, means);
  let files = 0;
  const write = async (path: string, bytes: Uint8Array): Promise<void> => {
    await shelf.write(`${to}/${path}`, bytes);
    files += 1;
  };
  for (let level = 0; level < tileLevels(head.size); level++)
    for (const { index, width } of tilesFrom(level, before, head.size)) {
      const { hashes, entries } = await fleet.read(async (view) => ({
        hashes: await createTileSource(view, head.size, means.crypto).hashes(level, index),
        entries: level === 0 ? (await view.leaves(index * TILE_WIDTH, width)).map(({ entry }) => entry) : [],
      }));
      await write(tilePath({ level, index, width }), concat(...hashes));
      if (level === 0) await write(bundlePath({ index, width }), bundleOf(entries));
    }
  await write('checkpoint', fromText(await cosigned(fleet, head)));
  return { size: head.size, files };
}

/** Tiles of a level that an export of the size `before` does not have, the partial one last. */
function tilesFrom(
  level: number,
  before: number,
  size: number,
): readonly { readonly index: number; readonly width: number }[] {
  const full = fullTiles(level, size);
  const tiles: { index: number; width: number }[] = [];
  for (let index = fullTiles(level, before); index < full; index++) tiles.push({ index, width: TILE_WIDTH });
  const width = partialWidth(level, size);
  return width === 0 ? tiles : [...tiles, { index: full, width }];
}

/** The size of the export that is there; 0 for none. */
async function demandContinued(
  fleet: FleetReader,
  head: HeadRow,
  to: string,
  { crypto, ceremony }: Means,
): Promise<number> {
  const bytes = await ceremony.shelf.read(`${to}/checkpoint`);
  if (bytes === null) return 0;
  const note = noteIn(bytes);
  const known = parseCheckpoint(readNote(note)?.text ?? '', originOf(note));
  if (known === null)
    throw new Fault('LOG_EXPORT_INVALID', { file: `${to}/checkpoint`, why: 'no checkpoint' });
  if (known.size > head.size) throw new Fault('LOG_ROLLED_BACK', { size: head.size, exported: known.size });
  const root = await fleet.read((view) => createTileSource(view, head.size, crypto).root(known.size));
  const same = originOf(head.checkpoint) === known.origin;
  if (!same || !equal(root, known.root)) throw new Fault('LOG_FORKED', { exported: known.size });
  return known.size;
}

/** The head's checkpoint with what witnesses said of this very size. */
async function cosigned(fleet: FleetReader, head: HeadRow): Promise<string> {
  const rows = await fleet.read((view) => view.cosignatures(head.size, WITNESSES_MAX));
  const lines = rows
    .filter(({ checkpoint }) => checkpoint === head.checkpoint)
    .map(({ line }) => `${line}\n`);
  return `${head.checkpoint}${lines.join('')}`;
}
