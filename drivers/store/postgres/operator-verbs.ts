/** Operators and their keys in the fleet database. */
import type { OperatorKeyRow, OperatorRow, OperatorVerbs } from '../../../runtime/core/store/operators.ts';
import type { Session } from './session.ts';
import { arraysOf, fieldsOf, insertInto, type Table } from './table.ts';

const operators: Table<OperatorRow> = {
  name: 'operator',
  columns: { pseudonym: 'text', orderHash: 'text', registeredAt: 'text' },
};

const operatorKeys: Table<OperatorKeyRow> = {
  name: 'operator_key',
  columns: { pseudonym: 'text', key: 'bytea', name: 'text', removedAt: 'text' },
};

const fields = fieldsOf(operatorKeys);
const statements = {
  byOrder: {
    name: 'operator by order',
    text: `select ${fieldsOf(operators)} from operator where order_hash = $1`,
  },
  insert: insertInto(operators),
  keys: { name: 'operator keys', text: `select ${fields} from operator_key order by pseudonym` },
  key: { name: 'operator key', text: `select ${fields} from operator_key where pseudonym = $1` },
  insertKey: insertInto(operatorKeys),
  endKey: {
    name: 'end operator key',
    text: 'update operator_key set removed_at = $2 where pseudonym = $1 and removed_at is null',
  },
  deleteKey: { name: 'delete operator key', text: 'delete from operator_key where pseudonym = $1' },
} as const;

export function operatorVerbs(session: Session): OperatorVerbs {
  return {
    operatorByOrder: async (orderHash) =>
      (await session.rows<OperatorRow>(statements.byOrder, [orderHash]))[0] ?? null,
    insertOperator: async (row) => {
      await session.count(statements.insert, arraysOf(operators, [row]));
    },
    operatorKeys: () => session.rows<OperatorKeyRow>(statements.keys, []),
    operatorKey: async (pseudonym) =>
      (await session.rows<OperatorKeyRow>(statements.key, [pseudonym]))[0] ?? null,
    insertOperatorKey: async (row) => {
      await session.count(statements.insertKey, arraysOf(operatorKeys, [row]));
    },
    endOperatorKey: async (pseudonym, removedAt) =>
      (await session.count(statements.endKey, [pseudonym, removedAt])) === 1,
    deleteOperatorKey: async (pseudonym) => (await session.count(statements.deleteKey, [pseudonym])) === 1,
  };
}
