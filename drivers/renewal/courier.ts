/**
 * The way to the bus authority as a directory: the station leaves `STATION.request` and looks for `STATION.pem`. Whatever
 * carries files does the rest; what it carries is signed, and a wrong file is refused.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';
import type { RenewalOffice } from '../../runtime/core/renewal.ts';
import { replaceFile } from '../durable-text.ts';

/** A certificate of one party, with text around it. */
const ANSWER_BYTES_MAX = 16_384;

export function openCourier(directory: string, station: string): RenewalOffice {
  const answerFile = join(directory, `${station}.pem`);
  return {
    ask: async (request) => {
      try {
        replaceFile(join(directory, `${station}.request`), `${request}\n`);
      } catch (cause) {
        throw new Fault('RENEWAL_UNANSWERED', { station, directory, why: 'not writable' }, { cause });
      }
    },
    answer: async () => {
      if (!existsSync(answerFile)) return null;
      try {
        if (statSync(answerFile).size > ANSWER_BYTES_MAX) throw new RangeError('too long');
        return readFileSync(answerFile, 'utf8');
      } catch (cause) {
        throw new Fault('FILE_UNREADABLE', { file: answerFile }, { cause });
      }
    },
  };
}
