/**
 * Queries that describe a database's schema by names alone, never by object ids: `kind`, `name` (unique in its kind),
 * `definition` (JSON, compared key by key). Objects of extensions and of PostgreSQL itself are left out.
 * Column order is kept apart (`kind` = "column order"), because it only warns.
 */

const userSchema = (schema: string) =>
  `${schema} !~ '^pg_' AND ${schema} <> 'information_schema'`;
const notOfExtension = (classId: string, object: string) =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${classId}'::regclass AND e.objid = ${object} AND e.deptype = 'e')`;
/** Privileges by name and in order; NULL (the default) is written out, so that a default made explicit compares equal. */
const acl = (value: string, type: string, owner: string) =>
  `(SELECT json_agg(format('%s=%s%s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type,
            CASE WHEN a.is_grantable THEN '*' ELSE '' END) ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type)
      FROM aclexplode(coalesce(${value}, acldefault('${type}', ${owner}))) a)`;
const options = (value: string) => `(SELECT json_agg(o ORDER BY o) FROM unnest(${value}) o)`;
const comment = (object: string, catalog: string) => `obj_description(${object}, '${catalog}')`;

export const catalogQueries: readonly string[] = [
  `SELECT 'schema' AS kind, quote_ident(n.nspname) AS name, json_build_object(
     'owner', pg_get_userbyid(n.nspowner), 'privileges', ${acl("n.nspacl", "n", "n.nspowner")}, 'comment', ${comment("n.oid", "pg_namespace")}) AS definition
   FROM pg_namespace n WHERE ${userSchema("n.nspname")} AND ${notOfExtension("pg_namespace", "n.oid")}`,

  `SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' ELSE 'materialized view' END,
     format('%I.%I', n.nspname, c.relname), json_build_object(
     'owner', pg_get_userbyid(c.relowner), 'privileges', ${acl("c.relacl", "r", "c.relowner")},
     'persistence', c.relpersistence, 'kind', c.relkind, 'rowSecurity', c.relrowsecurity, 'rowSecurityForced', c.relforcerowsecurity,
     'options', ${options("c.reloptions")}, 'replicaIdentity', c.relreplident, 'partitionKey', pg_get_partkeydef(c.oid),
     'partitionBound', pg_get_expr(c.relpartbound, c.oid), 'definition', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
     'populated', c.relispopulated, 'tablespace', (SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace),
     'accessMethod', (SELECT amname FROM pg_am a WHERE a.oid = c.relam),
     'inherits', (SELECT json_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid),
     'comment', ${comment("c.oid", "pg_class")})
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND ${userSchema("n.nspname")} AND ${notOfExtension("pg_class", "c.oid")}`,

  `SELECT 'column', format('%I.%I.%I', n.nspname, c.relname, a.attname), json_build_object(
     'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid),
     'identity', a.attidentity, 'generated', a.attgenerated, 'statistics', nullif(coalesce(a.attstattarget, -1), -1), 'storage', a.attstorage,
     'collation', (SELECT collname FROM pg_collation l WHERE l.oid = a.attcollation), 'options', ${options("a.attoptions")},
     'privileges', (SELECT json_agg(format('%s=%s', pg_get_userbyid(x.grantee), x.privilege_type) ORDER BY 1) FROM (SELECT DISTINCT grantee, privilege_type FROM aclexplode(a.attacl)) x),
     'comment', col_description(c.oid, a.attnum))
   FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND ${userSchema("n.nspname")} AND ${notOfExtension("pg_class", "c.oid")}`,

  `SELECT 'column order', format('%I.%I', n.nspname, c.relname), json_build_object('columns', json_agg(a.attname ORDER BY a.attnum))
   FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND ${userSchema("n.nspname")} AND ${notOfExtension("pg_class", "c.oid")}
   GROUP BY n.nspname, c.relname`,

  `SELECT 'constraint', format('%s on %s', quote_ident(o.conname), coalesce(nullif(o.conrelid, 0)::regclass::text, o.contypid::regtype::text)), json_build_object(
     'definition', pg_get_constraintdef(o.oid), 'validated', o.convalidated, 'deferrable', o.condeferrable, 'deferred', o.condeferred,
     'inherited', o.coninhcount, 'comment', ${comment("o.oid", "pg_constraint")})
   FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace
   WHERE o.contype <> 'n' AND ${userSchema("n.nspname")} AND ${notOfExtension("pg_class", "o.conrelid")} AND ${notOfExtension("pg_type", "o.contypid")}`,

  `SELECT 'index', i.indexrelid::regclass::text, json_build_object(
     'table', i.indrelid::regclass::text, 'definition', pg_get_indexdef(i.indexrelid), 'valid', i.indisvalid, 'ready', i.indisready, 'live', i.indislive, 'unique', i.indisunique,
     'clustered', i.indisclustered, 'replicaIdentity', i.indisreplident, 'options', ${options("c.reloptions")}, 'comment', ${comment("c.oid", "pg_class")})
   FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${userSchema("n.nspname")} AND ${notOfExtension("pg_class", "i.indrelid")}`,

  `SELECT 'trigger', format('%s on %s', quote_ident(t.tgname), t.tgrelid::regclass), json_build_object(
     'definition', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled, 'comment', ${comment("t.oid", "pg_trigger")})
   FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE NOT t.tgisinternal AND ${userSchema("n.nspname")}`,

  `SELECT 'constraint trigger', format('%s on %s (%s)', quote_ident(o.conname), t.tgrelid::regclass, p.proname), json_build_object('enabled', t.tgenabled)
   FROM pg_trigger t JOIN pg_constraint o ON o.oid = t.tgconstraint JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE t.tgisinternal AND ${userSchema("n.nspname")}`,

  `SELECT 'policy', format('%s on %s', quote_ident(p.polname), p.polrelid::regclass), json_build_object(
     'command', p.polcmd, 'permissive', p.polpermissive, 'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid),
     'roles', (SELECT json_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END ORDER BY 1) FROM unnest(p.polroles) r),
     'comment', ${comment("p.oid", "pg_policy")})
   FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${userSchema("n.nspname")}`,

  `SELECT 'rule', format('%s on %s', quote_ident(r.rulename), r.ev_class::regclass), json_build_object(
     'definition', pg_get_ruledef(r.oid), 'enabled', r.ev_enabled, 'comment', ${comment("r.oid", "pg_rewrite")})
   FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE r.rulename <> '_RETURN' AND ${userSchema("n.nspname")}`,

  `SELECT 'function', p.oid::regprocedure::text, json_build_object(
     'definition', CASE WHEN p.prokind = 'a' THEN p.prosrc ELSE pg_get_functiondef(p.oid) END, 'owner', pg_get_userbyid(p.proowner),
     'privileges', ${acl("p.proacl", "f", "p.proowner")}, 'comment', ${comment("p.oid", "pg_proc")})
   FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${userSchema("n.nspname")} AND ${notOfExtension("pg_proc", "p.oid")}`,

  `SELECT 'type', t.oid::regtype::text, json_build_object(
     'kind', t.typtype, 'owner', pg_get_userbyid(t.typowner), 'privileges', ${acl("t.typacl", "T", "t.typowner")},
     'labels', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
     'base', CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, 'notNull', t.typnotnull, 'default', t.typdefault,
     'range', (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid), 'comment', ${comment("t.oid", "pg_type")})
   FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
   WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')) AND ${userSchema("n.nspname")} AND ${notOfExtension("pg_type", "t.oid")}`,

  `SELECT 'sequence', format('%I.%I', n.nspname, c.relname), json_build_object(
     'type', format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment', s.seqincrement, 'minimum', s.seqmin, 'maximum', s.seqmax,
     'cache', s.seqcache, 'cycle', s.seqcycle, 'owner', pg_get_userbyid(c.relowner), 'privileges', ${acl("c.relacl", "s", "c.relowner")},
     'ownedBy', (SELECT format('%s.%I', d.refobjid::regclass, a.attname) FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')),
     'persistence', c.relpersistence, 'comment', ${comment("c.oid", "pg_class")})
   FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${userSchema("n.nspname")} AND ${notOfExtension("pg_class", "c.oid")}`,

  `SELECT 'extension', quote_ident(e.extname), json_build_object('version', e.extversion, 'schema', n.nspname)
   FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace`,

  `SELECT 'default privileges', format('%s for %s in %s', d.defaclobjtype, pg_get_userbyid(d.defaclrole), coalesce(n.nspname, 'all schemas')),
     json_build_object('privileges', (SELECT json_agg(x::text ORDER BY x::text) FROM unnest(d.defaclacl) x))
   FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace`,

  `SELECT 'event trigger', quote_ident(t.evtname), json_build_object('event', t.evtevent, 'enabled', t.evtenabled, 'function', t.evtfoid::regprocedure::text, 'tags', to_json(t.evttags))
   FROM pg_event_trigger t`,

  `SELECT 'publication', quote_ident(p.pubname), json_build_object('all', p.puballtables, 'insert', p.pubinsert, 'update', p.pubupdate, 'delete', p.pubdelete, 'truncate', p.pubtruncate,
     'tables', (SELECT json_agg(r.prrelid::regclass::text ORDER BY r.prrelid::regclass::text) FROM pg_publication_rel r WHERE r.prpubid = p.oid))
   FROM pg_publication p`,

  `SELECT 'statistics', s.stxname::text, json_build_object('definition', pg_get_statisticsobjdef(s.oid), 'comment', ${comment("s.oid", "pg_statistic_ext")})
   FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE ${userSchema("n.nspname")}`,
];
