/**
 * The table of commands, in the order of the help. Each family is loaded when it is asked for, by the first word of
 * its commands: whoever reads a journal does not wait for what ceremonies need.
 */
import type { Command } from './command.ts';
import { helpCommand } from './help.ts';

const families: Readonly<Record<string, () => Promise<readonly Command[]>>> = {
  status: async () => [(await import('./status/command.ts')).statusCommand],
  journal: async () => [(await import('./journal/command.ts')).journalCommand],
  explain: async () => [(await import('./explain.ts')).explainCommand],
  fleet: async () => (await import('./fleet/commands.ts')).fleetCommands,
  audit: async () => (await import('./audit/commands.ts')).auditCommands,
  transcript: async () => (await import('./transcript/commands.ts')).transcriptCommands,
  ceremony: async () => (await import('./ceremony/commands.ts')).ceremonyCommands,
  ticket: async () => (await import('./ticket/commands.ts')).ticketCommands,
  pki: async () => (await import('./pki/commands.ts')).pkiCommands,
  proof: async () => (await import('./proof/commands.ts')).proofCommands,
  witness: async () => (await import('./witness/commands.ts')).witnessCommands,
  operator: async () => (await import('./operator/commands.ts')).operatorCommands,
  enrol: async () => (await import('./enrol/commands.ts')).enrolCommands,
};

/** The family that the first word names; every command where it names none, as for the help. */
export async function commandsFor(first: string | undefined): Promise<readonly Command[]> {
  const family = first !== undefined && Object.hasOwn(families, first) ? families[first] : undefined;
  return family === undefined ? allCommands() : family();
}

async function allCommands(): Promise<readonly Command[]> {
  const loaded = await Promise.all(Object.values(families).map((load) => load()));
  const all: readonly Command[] = [...loaded.flat(), helpCommand(() => all)];
  return all;
}
