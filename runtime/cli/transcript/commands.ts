/** The commands of transcripts, in the order of the help. */
import type { Command } from '../command.ts';
import { transcriptShowCommand } from './show.ts';
import { transcriptVerifyCommand } from './verify.ts';

export const transcriptCommands: readonly Command[] = [transcriptShowCommand, transcriptVerifyCommand];
