/** Answers every message with itself, until its parent is gone. */
process.on('message', (message) => process.send?.(message));
