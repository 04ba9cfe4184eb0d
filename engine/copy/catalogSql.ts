import { stagingSchemas } from "../staging/privileges.ts";

/*
 * Questions to the source's catalog, for PostgreSQL 13 to 17. Asked with search_path = pg_catalog, so that every
 * name of the application comes back with its schema. An oid comes back as a float8, which holds every one.
 */

/** Without those of staging's own, should the source be a copy of one. */
const applicationSchemas = `n.nspname !~ '^pg_' AND n.nspname <> ALL ('{information_schema,${stagingSchemas.join(",")}}')`;
const notOfExtension = (classId: string, object: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${classId}'::regclass AND e.objid = ${object} AND e.deptype = 'e')`;

export const relationsSql = `
  SELECT c.oid::int8::float8 AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
         greatest(c.reltuples, 0)::float8 AS "estimatedRows",
         CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid)::float8 ELSE 0 END AS "sizeBytes",
         (c.relrowsecurity AND NOT pg_has_role(current_user, c.relowner, 'USAGE') OR c.relforcerowsecurity)
           AND NOT (SELECT r.rolsuper OR r.rolbypassrls FROM pg_roles r WHERE r.rolname = current_user) AS "rowSecurity",
         has_table_privilege(c.oid, 'SELECT') AS readable, c.relpersistence = 'u' AS unlogged,
         (SELECT i.inhparent::int8::float8 FROM pg_inherits i WHERE i.inhrelid = c.oid AND c.relispartition) AS parent,
         (SELECT array_agg(CASE WHEN k.number = 0 OR (p.partstrat = 'h' AND y.typnamespace <> 'pg_catalog'::regnamespace) THEN NULL ELSE a.attname::text END ORDER BY k.position)
            FROM pg_partitioned_table p, unnest(p.partattrs::int2[]) WITH ORDINALITY AS k(number, position)
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number AND k.number > 0
            LEFT JOIN pg_type y ON y.oid = a.atttypid
           WHERE p.partrelid = c.oid) AS "partitionColumns"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND ${applicationSchemas} AND ${notOfExtension("pg_class", "c.oid")}
   ORDER BY n.nspname, c.relname`;

export const columnsSql = `
  SELECT a.attrelid::int8::float8 AS relation, a.attname::text AS name, a.attnum::int AS number, a.attnotnull AS "notNull",
         a.attgenerated <> '' AS generated,
         (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated <> '') AS generation, format_type(a.atttypid, a.atttypmod) AS type,
         a.atttypid::int8::float8 AS "typeOid", a.atttypmod AS modifier
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${applicationSchemas} AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attrelid, a.attnum`;

export const typesSql = `
  SELECT t.oid::int8::float8 AS oid, t.typname::text AS name, t.typtype::text AS kind, t.typnotnull AS "notNull",
         t.typbasetype::int8::float8 AS base, t.typtypmod AS modifier,
         CASE WHEN t.typcategory = 'A' THEN t.typelem::int8::float8 ELSE 0 END AS element, n.nspname = 'pg_catalog' AS "builtIn",
         format_type(t.oid, NULL) AS formatted,
         (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE t.typtype <> 'c'`;

/** Declared once: a partition's copy of its parent's constraint is left out. */
export const referencesSql = `
  SELECT k.conname::text AS name, k.convalidated AS validated, k.conrelid::int8::float8 AS child, k.confrelid::int8::float8 AS parent,
         p.relkind = 'r' AS "parentOnly", pn.nspname::text AS "parentSchema", p.relname::text AS "parentName",
         k.conkey::int[] AS "childColumns", k.confkey::int[] AS "parentColumns",
         (SELECT array_agg(format('OPERATOR(%I.%s)', o_n.nspname, o.oprname) ORDER BY u.position)
            FROM unnest(k.conpfeqop) WITH ORDINALITY AS u(operator, position)
            JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace o_n ON o_n.oid = o.oprnamespace) AS operators
    FROM pg_constraint k JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
   WHERE k.contype = 'f' AND k.conparentid = 0
   ORDER BY k.conrelid, k.conname`;

export const uniqueKeysSql = `
  SELECT i.indrelid::int8::float8 AS relation, x.relname::text AS name, i.indisprimary AS primary,
         pg_get_expr(i.indpred, i.indrelid) AS predicate,
         (SELECT array_agg(pg_get_indexdef(i.indexrelid, k, true) ORDER BY k) FROM generate_series(1, i.indnkeyatts) AS k) AS expressions,
         i.indkey::int2[]::int[] AS "keyColumns",
         (SELECT coalesce(array_agg(DISTINCT d.refobjsubid), '{}') FROM pg_depend d
           WHERE d.classid IN ('pg_class'::regclass, 'pg_constraint'::regclass) AND d.refclassid = 'pg_class'::regclass
             AND d.refobjid = i.indrelid AND d.refobjsubid > 0
             AND (d.objid = i.indexrelid OR d.objid IN (SELECT k.oid FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u')))) AS columns
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
   WHERE i.indisunique AND i.indislive AND (i.indisvalid OR x.relkind = 'I')
   ORDER BY i.indrelid, NOT i.indisprimary, x.relname`;

export const exclusionsSql = `
  SELECT k.conrelid::int8::float8 AS relation, k.conname::text AS name, pg_get_expr(i.indpred, i.indrelid) AS predicate,
         (SELECT array_agg(pg_get_indexdef(i.indexrelid, n, true) ORDER BY n) FROM generate_series(1, i.indnkeyatts) AS n) AS expressions,
         (SELECT array_agg(format('OPERATOR(%I.%s)', o_n.nspname, o.oprname) ORDER BY u.position)
            FROM unnest(k.conexclop) WITH ORDINALITY AS u(operator, position)
            JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace o_n ON o_n.oid = o.oprnamespace) AS operators,
         (SELECT coalesce(array_agg(DISTINCT d.refobjsubid), '{}') FROM pg_depend d
           WHERE d.classid IN ('pg_class'::regclass, 'pg_constraint'::regclass) AND d.refclassid = 'pg_class'::regclass
             AND d.refobjid = k.conrelid AND d.refobjsubid > 0 AND d.objid IN (k.oid, k.conindid)) AS columns
    FROM pg_constraint k JOIN pg_index i ON i.indexrelid = k.conindid WHERE k.contype = 'x' ORDER BY k.conrelid, k.conname`;

export const checksSql = `
  SELECT k.conrelid::int8::float8 AS relation, k.conname::text AS name, pg_get_expr(k.conbin, k.conrelid) AS expression,
         coalesce(k.conkey, '{}')::int[] AS columns
    FROM pg_constraint k WHERE k.contype = 'c' AND k.conrelid <> 0 AND k.convalidated ORDER BY k.conrelid, k.conname`;

export const sequencesSql = `
  SELECT c.oid::int8::float8 AS oid, n.nspname::text AS schema, c.relname::text AS name, s.seqincrement::text AS increment,
         has_sequence_privilege(c.oid, 'SELECT') AS readable,
         f.relation AS "filledRelation", f.attnum::int AS "filledColumn"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
    LEFT JOIN LATERAL (
      SELECT d.refobjid::int8::float8 AS relation, d.refobjsubid AS attnum
        FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
      UNION ALL
      SELECT a.adrelid::int8::float8, a.adnum
        FROM pg_depend d JOIN pg_attrdef a ON a.oid = d.objid
       WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
       LIMIT 1) AS f ON true
   WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND ${applicationSchemas} AND ${notOfExtension("pg_class", "c.oid")}
   ORDER BY n.nspname, c.relname`;

/** One row: what concerns the whole database. */
export const wholeSql = `
  SELECT pg_is_in_recovery() AS standby, (SELECT count(*)::float8 FROM pg_largeobject_metadata) AS "largeObjects",
         ARRAY(SELECT k.conname::text FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
                WHERE k.contype IN ('f', 'c') AND NOT k.convalidated AND ${applicationSchemas} ORDER BY 1) AS "notValid",
         ARRAY(SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind = 'm' AND NOT c.relispopulated AND ${applicationSchemas} ORDER BY 1) AS "unfilledViews",
         ARRAY(SELECT DISTINCT r.rolname::text FROM pg_policy p, unnest(p.polroles) AS u(role) JOIN pg_roles r ON r.oid = u.role ORDER BY 1) AS "policyRoles",
         ARRAY(SELECT format('%s.%s', n.nspname, c.relname) FROM pg_extension e, unnest(e.extconfig) AS u(relation)
                 JOIN pg_class c ON c.oid = u.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' ORDER BY 1) AS "extensionTables"`;

export const extensionsSql = `SELECT extname::text AS name, extversion AS version FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1`;
