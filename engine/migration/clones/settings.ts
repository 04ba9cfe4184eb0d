/**
 * Statements that give database `$2` the privileges and settings of `$1`, which a template copy leaves behind:
 * a clone open to everybody, or without its search path, would not be the database that is rehearsed on.
 */
export const databaseSettingsSql = `
  SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', $2::text) AS statement, 0 AS rank
    FROM pg_database WHERE datname = $1 AND datacl IS NOT NULL
  UNION ALL
  SELECT format('GRANT %s ON DATABASE %I TO %s%s', acl.privilege_type, $2::text,
                CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END,
                CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), 1
    FROM pg_database d, aclexplode(d.datacl) AS acl WHERE d.datname = $1
  UNION ALL
  SELECT format('ALTER %s SET %I TO %s',
                CASE s.setrole WHEN 0 THEN format('DATABASE %I', $2::text)
                               ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(s.setrole), $2::text) END,
                split_part(entry, '=', 1),
                CASE WHEN split_part(entry, '=', 1) IN ('search_path', 'session_preload_libraries', 'local_preload_libraries', 'temp_tablespaces')
                     THEN substr(entry, strpos(entry, '=') + 1)
                     ELSE quote_literal(substr(entry, strpos(entry, '=') + 1)) END), 2
    FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS entry
   WHERE d.datname = $1
   ORDER BY rank, statement`;
