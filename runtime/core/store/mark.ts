/** What a gateway remembers of its ledger apart from the database. */

/** Real: a file beside the gateway; simulated: in memory. One gateway alone writes it. */
export interface MarkMemory {
  /** The highest mark of the ledger that anything was told or signed under; 0 before the first. */
  readonly told: number;
  /** Durable when it resolves; a lower one changes nothing. @throws Fault FILE_UNREADABLE */
  remember(mark: number): Promise<void>;
}
