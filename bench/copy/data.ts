/** The one big table: 8 columns, 4 indexes, four of the columns text that says who somebody is. */
export const bigTable = "account";

const relatedTables = 39;

/** Tables of 2 to 4 thousand rows, such as an application has around its users: each refers to the accounts or to another. */
function relatedTable(index: number): string {
  const name = `related_${String(index).padStart(2, "0")}`;
  const parent = index < 3 ? bigTable : `related_${String(Math.floor(index / 3)).padStart(2, "0")}`;
  const rows = 2_000 + 50 * index;
  // The first three hang on few accounts, so that a handful of accounts brings some of everything.
  const parentOf = index < 3 ? "1 + (n * 7919) % 5000" : `1 + (n * 7919) % ${2_000 + 50 * Math.floor(index / 3)}`;
  return `
    CREATE TABLE ${name} (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      parent_id bigint NOT NULL REFERENCES ${parent} (id),
      state state_of_work NOT NULL DEFAULT 'open',
      title varchar(120) NOT NULL,
      details jsonb NOT NULL DEFAULT '{}',
      tags text[] NOT NULL DEFAULT '{}',
      price numeric(12,2) NOT NULL CHECK (price >= 0),
      paid boolean NOT NULL DEFAULT false,
      due date,
      changed_at timestamptz NOT NULL,
      UNIQUE (parent_id, title)
    );
    INSERT INTO ${name} (parent_id, state, title, details, tags, price, paid, due, changed_at)
    SELECT ${parentOf}, (ARRAY['open', 'busy', 'done']::state_of_work[])[1 + n % 3], 'Item ' || n || ' of ${name}',
           jsonb_build_object('size', n % 40, 'colour', (ARRAY['red', 'green', 'blue'])[1 + n % 3], 'note', repeat('word ', n % 12)),
           ARRAY['t' || n % 9, 't' || n % 4], (n % 9999) / 100.0, n % 2 = 0, date '2024-01-01' + n % 400, timestamptz '2024-01-01' + n * interval '7 min'
      FROM generate_series(1, ${rows}) AS n;
    CREATE INDEX ON ${name} (parent_id);
    CREATE INDEX ON ${name} (state, due);`;
}

/** Everything of a production with so many accounts. Addresses are of staging's own domain, so that a copy that masks nothing passes too. */
export function productionSql(accounts: number): string {
  return `
    CREATE TYPE state_of_work AS ENUM ('open', 'busy', 'done');
    CREATE TABLE ${bigTable} (
      id bigint GENERATED ALWAYS AS IDENTITY,
      email text NOT NULL,
      full_name text NOT NULL,
      phone text,
      address text NOT NULL,
      tenant_id integer NOT NULL,
      balance numeric(12,2) NOT NULL,
      created_at timestamptz NOT NULL
    );
    INSERT INTO ${bigTable} (email, full_name, phone, address, tenant_id, balance, created_at)
    SELECT 'someone.' || n || '.' || substr(md5(n::text), 1, 6) || '@staging.local',
           initcap(substr(md5('a' || n), 1, 7)) || ' ' || initcap(substr(md5('b' || n), 1, 9)),
           CASE WHEN n % 10 > 0 THEN '+351 9' || lpad((n::bigint * 7919 % 100000000)::text, 8, '0') END,
           (n % 300) || ' ' || initcap(substr(md5('c' || n), 1, 8)) || ' Street, Flat ' || n % 90,
           n % 2000, (n % 1000000) / 100.0, timestamptz '2022-01-01' + n * interval '41 s'
      FROM generate_series(1, ${accounts}) AS n;
    ALTER TABLE ${bigTable} ADD PRIMARY KEY (id), ADD UNIQUE (email);
    CREATE INDEX ON ${bigTable} (tenant_id);
    CREATE INDEX ON ${bigTable} (created_at);
    ${Array.from({ length: relatedTables }, (_, index) => relatedTable(index)).join("\n")}`;
}

const accountColumns = ["id", "email", "full_name", "phone", "address", "tenant_id", "balance", "created_at"];
const relatedColumns = ["id", "parent_id", "state", "title", "details", "tags", "price", "paid", "due", "changed_at"];
const masks: Readonly<Record<string, string>> = { email: "email", full_name: "full-name", phone: "phone", address: "address" };

/** Nothing masked, or the four text columns of the big table. */
export function maskingPolicy(masked: boolean): unknown {
  const rules = (columns: readonly string[], own: Readonly<Record<string, string>>): unknown => ({
    columns: Object.fromEntries(columns.map((column) => [column, own[column] ?? "keep"])),
  });
  const related = Array.from({ length: relatedTables }, (_, index) => [`related_${String(index).padStart(2, "0")}`, rules(relatedColumns, {})]);
  return { version: 1, tables: { [bigTable]: rules(accountColumns, masked ? masks : {}), ...Object.fromEntries(related) } };
}

/** All rows, or ten accounts and all that hangs on them. */
export function subsetPolicy(whole: boolean): unknown {
  return whole ? { version: 1, whole: "all" } : { version: 1, limit: 10, roots: [{ table: bigTable }] };
}
