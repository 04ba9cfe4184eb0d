/** One relation as seen from inside the migration's transaction. */
export interface ProbedRelation {
  readonly oid: number;
  readonly name: string;
  readonly kind: string;
  readonly fileNode: number;
  readonly sizeBytes: number;
  readonly modes: readonly string[];
  readonly scans: number;
  readonly scannedRows: number;
  readonly changedRows: number;
  /** Blocks asked for, and those of them that were found in shared buffers. */
  readonly blocks: number;
  readonly blocksHit: number;
}

export interface Probe {
  /** Bytes of write-ahead log that the whole server had written. */
  readonly walBytes: number;
  readonly relations: readonly ProbedRelation[];
}

const relationColumns = (modes: string) => `
  json_build_object('oid', c.oid::int8, 'name', format('%I.%I', n.nspname, c.relname), 'kind', c.relkind, 'fileNode', c.relfilenode::int8,
    'sizeBytes', CASE WHEN c.relkind IN ('r', 'i', 'm') THEN coalesce(pg_relation_size(c.oid), 0) ELSE 0 END, 'modes', ${modes},
    'scans', coalesce(pg_stat_get_xact_numscans(c.oid), 0), 'scannedRows', coalesce(pg_stat_get_xact_tuples_returned(c.oid), 0),
    'changedRows', coalesce(pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid), 0),
    'blocks', coalesce(pg_stat_get_xact_blocks_fetched(c.oid), 0), 'blocksHit', coalesce(pg_stat_get_xact_blocks_hit(c.oid), 0))`;

const wal = "pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8";
const userRelations = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'i', 'I', 'm', 'S', 'v')";

/** What the transaction holds and did so far; one round trip, run in the transaction itself. */
const lockedSql = `
  SELECT ${wal} AS "walBytes", coalesce((SELECT json_agg(${relationColumns("l.modes")})
    FROM (SELECT relation, json_agg(mode) AS modes FROM pg_locks
           WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted GROUP BY relation) l
    JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${userRelations}), '[]') AS relations`;

/** Every relation of the database, for what cannot be seen from inside: before it all, and around statements on their own. */
const everySql = `
  SELECT ${wal} AS "walBytes", coalesce((SELECT json_agg(${relationColumns("'[]'::json")})
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${userRelations} AND c.relkind IN ('r', 'i', 'm')), '[]') AS relations`;

/** Runs a probe's query in the migration's own session; its one row. */
export type ReadProbe = (sql: string) => Promise<Probe | undefined>;

export async function probeLocked(read: ReadProbe): Promise<Probe> {
  return (await read(lockedSql)) ?? { walBytes: 0, relations: [] };
}

export async function probeEvery(read: ReadProbe): Promise<Probe> {
  return (await read(everySql)) ?? { walBytes: 0, relations: [] };
}
