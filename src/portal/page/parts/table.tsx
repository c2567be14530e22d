/** A table that becomes a list of cards on a narrow screen. */
import type { ComponentChildren } from "preact";

export type Column<Row> = {
  /** Empty for a column that needs no name, such as actions. */
  readonly name: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly number?: boolean;
  /** In place of the name, in the head: a checkbox for all. */
  readonly head?: ComponentChildren;
};

export function Table<Row>(props: {
  /** What the table lists, for those who do not see it. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
}) {
  const { caption, columns, rows, rowKey } = props;
  return (
    <div class="table-wrap">
      <table class="cards">
        <caption class="spoken">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ name, head, number = false }) => (
              <th key={name} scope="col" class={number ? "number" : ""}>
                {head ?? (name === "" ? <span class="spoken">Actions</span> : name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map(({ name, cell, number = false }) => (
                <td key={name} data-label={name} class={number ? "number" : ""}>
                  <div>{cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
