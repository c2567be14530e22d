/** What the tests use of `pg`, which brings no types of its own. */
declare module "pg" {
  type Result<Row> = { readonly rows: Row[] };

  export type PoolClient = {
    query<Row = Readonly<Record<string, unknown>>>(
      text: string,
      values?: readonly unknown[],
    ): Promise<Result<Row>>;
    release(error?: Error | boolean): void;
  };

  export class Pool {
    constructor(options: { connectionString: string; max: number; options?: string });
    connect(): Promise<PoolClient>;
    query: PoolClient["query"];
    end(): Promise<void>;
  }
}
