/** Operators and their keys in the simulated fleet store. */
import type { OperatorKeyRow, OperatorRow, OperatorVerbs } from '../../runtime/core/store/operators.ts';
import type { Verb } from './in-memory-engine.ts';
import { createTable } from './in-memory-table.ts';

export type OperatorTables = ReturnType<typeof operatorTables>;

const ALL = '';

export function operatorTables() {
  return {
    operators: createTable({
      unique: {
        operator_pseudonym: (row: OperatorRow) => [row.pseudonym],
        operator_order_hash: (row: OperatorRow) => [row.orderHash],
      },
      group: () => ALL,
      order: () => 0,
    }),
    operatorKeys: createTable({
      unique: { operator_key_pseudonym: (row: OperatorKeyRow) => [row.pseudonym] },
      group: () => ALL,
      order: (a, b) => (a.pseudonym < b.pseudonym ? -1 : 1),
    }),
  };
}

export function operatorVerbs(verb: Verb, { operators, operatorKeys }: OperatorTables): OperatorVerbs {
  return {
    operatorByOrder: (orderHash) => verb(() => operators.find('operator_order_hash', orderHash)),
    insertOperator: (row) => verb((undo) => operators.insert(row, undo)),
    operatorKeys: () => verb(() => operatorKeys.group(ALL)),
    operatorKey: (pseudonym) => verb(() => operatorKeys.find('operator_key_pseudonym', pseudonym)),
    insertOperatorKey: (row) => verb((undo) => operatorKeys.insert(row, undo)),
    endOperatorKey: (pseudonym, removedAt) =>
      verb((undo) => {
        const row = operatorKeys.find('operator_key_pseudonym', pseudonym);
        if (row === null || row.removedAt !== null) return false;
        operatorKeys.replace(row, { ...row, removedAt }, undo);
        return true;
      }),
    deleteOperatorKey: (pseudonym) =>
      verb((undo) => {
        const row = operatorKeys.find('operator_key_pseudonym', pseudonym);
        if (row !== null) operatorKeys.remove(row, undo);
        return row !== null;
      }),
  };
}
