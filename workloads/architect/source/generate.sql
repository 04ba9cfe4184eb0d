-- Fills a sample production database: current_setting('understudy.source_users') users and all that belongs to them.
-- Deterministic: the same number gives the same rows. Everything follows from hashes of row numbers, nothing from
-- random() or the clock; times are written with their zone. Addresses and numbers are from the ranges reserved for
-- documentation (RFC 2606, RFC 5737, RFC 3849, 555-01xx). Foreign keys are checked by whoever runs this, at the end.
SET timezone = 'UTC';

-- A number from 0 to n - 1 that follows from row i and the salt of what it decides.
CREATE FUNCTION pg_temp.pick(i bigint, salt bigint, n bigint) RETURNS bigint IMMUTABLE LANGUAGE sql
AS $$ SELECT abs(hashint8extended(i, salt) % n) $$;

CREATE FUNCTION pg_temp.user_id(i bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$ SELECT md5('architect user' || i::text)::uuid $$;
CREATE FUNCTION pg_temp.event_id(i bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$ SELECT md5('architect event' || i::text)::uuid $$;
CREATE FUNCTION pg_temp.webhook_id(i bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$ SELECT md5('architect webhook' || i::text)::uuid $$;

CREATE FUNCTION pg_temp.person(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT (ARRAY['Anna','Ben','Clara','David','Emma','Felix','Grace','Hugo','Ida','Jonas','Aisha','Chloé','Zoë','Søren','Łukasz','Zoe' || U&'\0308',
    'Дмитрий','محمد','שרה','太郎','지우','Ana 🦊','J'])[1 + pg_temp.pick(i, 1, 23)] || ' ' ||
    (ARRAY['Berg','Castillo','Dubois','Evans','Fischer','García','Hansen','Ito','Kowalski','Müller','Novak','Okafor','Quinn','Rossi','Tanaka','O''Brien',
    'van der Berg','Smith-Jones','Null','Иванова','الفاسي','山田','Åström'])[1 + pg_temp.pick(i, 2, 23)]
$$;
CREATE FUNCTION pg_temp.handle(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT (ARRAY['anna','ben','clara','david','emma','felix','grace','hugo'])[1 + pg_temp.pick(i, 3, 8)] || '.' ||
         (ARRAY['berg','evans','ito','lopez','novak','quinn','rossi','weber'])[1 + pg_temp.pick(i, 4, 8)] || i::text
$$;
CREATE FUNCTION pg_temp.plain_email(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT pg_temp.handle(i) || '@' || (ARRAY['example.org','example.net','corp.example'])[1 + pg_temp.pick(i, 5, 3)]
$$;
-- As people and imports wrote it: mixed case, doubles of the row before but for case or blanks, long, tagged, beyond ASCII.
CREATE FUNCTION pg_temp.email(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE
    WHEN i % 97 = 13 THEN initcap(pg_temp.plain_email(i))
    WHEN i % 211 = 17 THEN ' ' || initcap(pg_temp.plain_email(i - 1)) || ' '
    WHEN i % 503 = 23 THEN upper(pg_temp.plain_email(i - 1))
    WHEN i % 1009 = 31 THEN rpad(pg_temp.handle(i), 64, 'x') || '@example.org'
    WHEN i % 701 = 5 THEN pg_temp.handle(i) || '+alerts@example.net'
    WHEN i % 307 = 7 THEN pg_temp.handle(i) || '@bücher.example'
    ELSE pg_temp.plain_email(i) END
$$;
CREATE FUNCTION pg_temp.phone(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE pg_temp.pick(i, 6, 3)
    WHEN 0 THEN '+1-202-555-01' || lpad(pg_temp.pick(i, 7, 100)::text, 2, '0')
    WHEN 1 THEN '(415) 555-01' || lpad(pg_temp.pick(i, 7, 100)::text, 2, '0')
    ELSE '+44 20 7946 0' || lpad(pg_temp.pick(i, 7, 1000)::text, 3, '0') END
$$;
CREATE FUNCTION pg_temp.address(i bigint) RETURNS inet IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE WHEN pg_temp.pick(i, 8, 100) < 15 THEN NULL
              WHEN pg_temp.pick(i, 8, 100) < 40 THEN inet '2001:db8::' + pg_temp.pick(i, 9, 4611686018427387904)
              WHEN pg_temp.pick(i, 8, 100) < 99 THEN inet '203.0.113.0' + pg_temp.pick(i, 9, 256)
              ELSE inet '198.51.100.0/24' END
$$;
-- A year and a half, and the instants that break date arithmetic and partitions: leap day, before 2000, the turns of a quarter.
CREATE FUNCTION pg_temp.moment(i bigint, salt bigint) RETURNS timestamptz STABLE LANGUAGE sql AS $$
  SELECT CASE pg_temp.pick(i, salt, 400)
    WHEN 0 THEN timestamptz '2024-02-29 23:59:59.999999+00'
    WHEN 1 THEN timestamptz '1999-12-31 23:59:59+00'
    WHEN 2 THEN timestamptz '2024-04-01 00:00:00+00'
    WHEN 3 THEN timestamptz '2024-03-31 01:30:00+00'
    ELSE timestamptz '2023-03-01 06:00:00+00' + pg_temp.pick(i, salt + 1, 47000000) * interval '1 second' END
$$;

INSERT INTO schema_migrations (version, applied_at) VALUES ('0000_initial', '2023-01-09 10:00:00+00');

INSERT INTO roles (id, name) VALUES (1, 'viewer'), (2, 'developer'), (3, 'operator'), (4, 'auditor'), (5, 'admin');
INSERT INTO permissions (id, name) VALUES
  (1, 'events:read'), (2, 'events:write'), (3, 'events:delete'), (4, 'errors:read'), (5, 'errors:resolve'), (6, 'notifications:send'),
  (7, 'webhooks:manage'), (8, 'tokens:manage'), (9, 'audit:read'), (10, 'users:read');
INSERT INTO role_permissions (role_id, permission_id) VALUES
  (1, 1), (1, 4),
  (2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (2, 7), (2, 8),
  (3, 1), (3, 2), (3, 3), (3, 4), (3, 5), (3, 6), (3, 7), (3, 8), (3, 10),
  (4, 1), (4, 4), (4, 9), (4, 10),
  (5, 1), (5, 2), (5, 3), (5, 4), (5, 5), (5, 6), (5, 7), (5, 8), (5, 9), (5, 10);

DO $$ BEGIN RAISE NOTICE 'users'; END $$;

INSERT INTO users (id, email, full_name, phone, password_hash, role_id, status, invited_by, last_login_ip, last_login_at, settings, created_at, updated_at)
SELECT pg_temp.user_id(i),
       pg_temp.email(i),
       CASE WHEN pg_temp.pick(i, 11, 100) < 3 THEN NULL
            WHEN pg_temp.pick(i, 11, 100) < 4 THEN ''
            WHEN pg_temp.pick(i, 11, 100) < 5 THEN '  ' || pg_temp.person(i) || ' '
            WHEN pg_temp.pick(i, 11, 1000) = 999 THEN repeat(pg_temp.person(i) || ' ', 40)
            ELSE pg_temp.person(i) END,
       CASE WHEN pg_temp.pick(i, 12, 100) < 50 THEN NULL WHEN pg_temp.pick(i, 12, 100) < 52 THEN '' ELSE pg_temp.phone(i) END,
       CASE WHEN pg_temp.pick(i, 13, 100) < 90 THEN '$argon2id$v=19$m=65536,t=3,p=2$' || md5('salt' || i) || '$' || md5('hash' || i) END,
       CASE WHEN i <= 5 THEN i WHEN part < 550 THEN 2 WHEN part < 800 THEN 1 WHEN part < 940 THEN 3 WHEN part < 990 THEN 4 ELSE 5 END,
       CASE WHEN i <= 5 OR pg_temp.pick(i, 14, 100) < 85 THEN 'active' WHEN pg_temp.pick(i, 14, 100) < 92 THEN 'invited'
            WHEN pg_temp.pick(i, 14, 100) < 96 THEN 'suspended' ELSE 'deactivated' END::user_status,
       -- By somebody who was there before; a few by themselves, as the import of 2023 had it.
       CASE WHEN i > 5 AND pg_temp.pick(i, 15, 100) < 90 THEN pg_temp.user_id(1 + pg_temp.pick(i, 16, i - 1)) WHEN i % 401 = 9 THEN pg_temp.user_id(i) END,
       pg_temp.address(i),
       CASE WHEN pg_temp.pick(i, 17, 100) < 80 THEN moment + interval '3 days 7 minutes' END,
       CASE WHEN pg_temp.pick(i, 18, 100) < 5 THEN '{}'::jsonb
            WHEN pg_temp.pick(i, 18, 100) < 30 THEN jsonb_build_object('theme', 'dark', 'digest', true, 'alertEmail', 'oncall.' || pg_temp.plain_email(i))
            WHEN pg_temp.pick(i, 18, 100) < 35 THEN jsonb_build_object('theme', 'light', 'escalation', jsonb_build_array(
              jsonb_build_object('name', pg_temp.person(i + 1), 'phone', pg_temp.phone(i + 1))))
            ELSE jsonb_build_object('theme', 'light', 'digest', i % 2 = 0) END,
       moment,
       moment + pg_temp.pick(i, 19, 8640000) * interval '1 second'
  FROM (SELECT i, pg_temp.pick(i, 20, 1000) AS part, pg_temp.moment(i, 21) AS moment
          FROM generate_series(1, current_setting('understudy.source_users')::bigint) AS i) AS numbered;

INSERT INTO api_tokens (id, user_id, name, token_hash, scopes, last_used_at, expires_at, created_at)
SELECT md5('architect token' || i)::uuid, pg_temp.user_id(i),
       CASE WHEN pg_temp.pick(i, 23, 5) = 0 THEN pg_temp.person(i) || '''s laptop' ELSE 'ci' END,
       encode(sha256(('token' || i)::bytea), 'hex'),
       (ARRAY['{}', '{events:read}', '{events:read,events:write}'])[1 + pg_temp.pick(i, 24, 3)]::text[],
       CASE WHEN i % 3 = 0 THEN pg_temp.moment(i, 25) END,
       CASE WHEN i % 4 = 0 THEN pg_temp.moment(i, 26) + interval '1 year' END,
       pg_temp.moment(i, 26)
  FROM generate_series(1, current_setting('understudy.source_users')::bigint) AS i WHERE pg_temp.pick(i, 27, 3) = 0;

INSERT INTO integrations (id, owner_id, kind, config, enabled, created_at)
SELECT md5('architect integration' || i)::uuid, pg_temp.user_id(i), kind,
       CASE kind
         WHEN 'slack' THEN jsonb_build_object('channel', '#ops', 'webhookUrl', 'https://hooks.slack.example/services/T0/' || md5('slack' || i))
         WHEN 'github' THEN jsonb_build_object('organisation', 'example', 'token', 'ghp_' || md5('github' || i) || 'abcd')
         ELSE jsonb_build_object('host', 'smtp.example.org', 'user', pg_temp.plain_email(i), 'password', md5('smtp' || i)) END,
       i % 7 <> 0,
       pg_temp.moment(i, 31)
  FROM generate_series(1, current_setting('understudy.source_users')::bigint) AS i,
       LATERAL (SELECT (ARRAY['slack', 'github', 'smtp'])[1 + pg_temp.pick(i, 32, 3)] AS kind) AS chosen
 WHERE pg_temp.pick(i, 33, 20) = 0;

DO $$ BEGIN RAISE NOTICE 'events'; END $$;

-- Six for every user; a quarter by nobody: made by the system, or by people who are gone. `level` as four generations of clients sent it.
INSERT INTO events (id, type, source, actor_id, payload, created_at)
SELECT pg_temp.event_id(i),
       (ARRAY['deployment.created','deployment.finished','deployment.failed','build.finished','incident.opened','incident.closed','user.signed_in','flag.changed'])[1 + pg_temp.pick(i, 40, 8)],
       (ARRAY['api','cli','github','scheduler'])[1 + pg_temp.pick(i, 41, 4)],
       -- One user in 5,000 has made thousands.
       CASE WHEN pg_temp.pick(i, 42, 100) < 25 THEN NULL
            WHEN pg_temp.pick(i, 42, 100) < 35 THEN pg_temp.user_id(1 + 5000 * pg_temp.pick(i, 43, 1 + users / 5001))
            ELSE pg_temp.user_id(1 + pg_temp.pick(i, 44, users)) END,
       CASE WHEN i % 4999 = 61 THEN jsonb_build_object('level', 'error', 'log', repeat('step ' || i || ' of ' || pg_temp.handle(i) || E' failed\n', 1000))
            WHEN pg_temp.pick(i, 45, 100) < 4 THEN '{}'::jsonb
            WHEN pg_temp.pick(i, 45, 100) < 6 THEN jsonb_build_object('level', NULL, 'note', '')
            WHEN pg_temp.pick(i, 45, 100) < 9 THEN jsonb_build_object('level', pg_temp.pick(i, 46, 8))
            WHEN pg_temp.pick(i, 45, 100) < 12 THEN jsonb_build_object('level', ' WARN ', 'service', 'billing')
            WHEN pg_temp.pick(i, 45, 100) < 20 THEN jsonb_build_object('level', 'ERROR', 'service', 'api', 'requestedBy', pg_temp.plain_email(1 + pg_temp.pick(i, 47, users)))
            WHEN pg_temp.pick(i, 45, 100) < 22 THEN jsonb_build_object('level', 'fatal', 'assignee', jsonb_build_object('name', pg_temp.person(i), 'email', pg_temp.plain_email(i)))
            ELSE jsonb_build_object('level', (ARRAY['debug','info','info','info','warning','error'])[1 + pg_temp.pick(i, 48, 6)],
                                    'service', (ARRAY['api','web','worker','billing'])[1 + pg_temp.pick(i, 49, 4)], 'durationMs', pg_temp.pick(i, 50, 90000)) END,
       pg_temp.moment(i, 51)
  FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS size, generate_series(1, users * 6) AS i;

DO $$ BEGIN RAISE NOTICE 'errors'; END $$;

INSERT INTO error_groups (id, fingerprint, title, level, status, occurrences, first_seen, last_seen, resolved_by, resolved_at)
SELECT i,
       encode(sha256(('fingerprint' || i)::bytea), 'hex'),
       (ARRAY['TypeError: x is undefined','panic: nil pointer','dial tcp: timeout','deadlock detected','context deadline exceeded'])[1 + pg_temp.pick(i, 60, 5)]
         || CASE WHEN pg_temp.pick(i, 61, 4) = 0 THEN ' for ' || pg_temp.plain_email(1 + pg_temp.pick(i, 62, users)) ELSE ' #' || i END,
       (enum_range(NULL::error_level))[1 + pg_temp.pick(i, 63, 3)],
       status::error_status,
       0,
       pg_temp.moment(i, 64),
       pg_temp.moment(i, 64) + interval '30 days',
       CASE WHEN status = 'resolved' AND pg_temp.pick(i, 65, 10) > 0 THEN pg_temp.user_id(1 + pg_temp.pick(i, 66, users)) END,
       CASE WHEN status = 'resolved' THEN pg_temp.moment(i, 64) + interval '31 days' END
  FROM (SELECT users, i, (ARRAY['open','open','open','resolved','resolved','ignored'])[1 + pg_temp.pick(i, 67, 6)] AS status
          FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS size, generate_series(1, greatest(30, users / 20)) AS i) AS numbered;

-- Two for every user, most of them in few groups; half by people who were not signed in.
INSERT INTO error_reports (id, group_id, user_id, message, stack, context, client_ip, occurred_at)
SELECT md5('architect report' || i)::uuid,
       1 + (pg_temp.pick(i, 70, groups) * pg_temp.pick(i, 71, groups)) / groups,
       CASE WHEN i % 2 = 0 THEN pg_temp.user_id(1 + pg_temp.pick(i, 72, users)) END,
       CASE WHEN pg_temp.pick(i, 73, 50) = 0 THEN '' WHEN pg_temp.pick(i, 73, 50) = 1 THEN 'Sign-in of ' || pg_temp.plain_email(i) || ' failed'
            ELSE 'request ' || md5('request' || i) || ' failed' END,
       CASE WHEN i % 5 = 0 THEN NULL WHEN i % 1999 = 7 THEN repeat('  at /home/' || pg_temp.handle(i) || E'/api/main.go:42\n', 1500)
            ELSE '  at /home/' || pg_temp.handle(i) || E'/api/handler.go:' || i % 900 || E'\n  at net/http/server.go:2122' END,
       CASE WHEN pg_temp.pick(i, 74, 10) < 3 THEN '{}'::jsonb
            WHEN pg_temp.pick(i, 74, 10) < 6 THEN jsonb_build_object('release', '3.1.' || i % 20, 'user', jsonb_build_object('email', pg_temp.plain_email(i), 'name', pg_temp.person(i)))
            ELSE jsonb_build_object('release', '3.2.0', 'browser', 'Firefox 128', 'tags', jsonb_build_array('api', 'checkout')) END,
       pg_temp.address(i + 7),
       pg_temp.moment(i, 75)
  FROM (SELECT users, greatest(30, users / 20) AS groups FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS one) AS size,
       generate_series(1, users * 2) AS i;

UPDATE error_groups SET occurrences = counted.n FROM (SELECT group_id, count(*) AS n FROM error_reports GROUP BY group_id) AS counted WHERE id = group_id;
SELECT setval(pg_get_serial_sequence('error_groups', 'id'), (SELECT max(id) FROM error_groups));

DO $$ BEGIN RAISE NOTICE 'notifications'; END $$;

INSERT INTO notifications (user_id, event_id, channel, title, body, read_at, created_at)
SELECT pg_temp.user_id(1 + pg_temp.pick(i, 80, users)),
       CASE WHEN pg_temp.pick(i, 81, 10) > 1 THEN pg_temp.event_id(1 + pg_temp.pick(i, 82, users * 6)) END,
       (enum_range(NULL::notification_channel))[1 + pg_temp.pick(i, 83, 3)],
       (ARRAY['Your deployment is done','A build broke','You were mentioned','Somebody signed in'])[1 + pg_temp.pick(i, 84, 4)]
         || CASE WHEN i % 6 = 0 THEN ' by ' || pg_temp.person(i) ELSE '' END,
       CASE WHEN pg_temp.pick(i, 85, 100) < 40 THEN NULL WHEN pg_temp.pick(i, 85, 100) < 42 THEN ''
            WHEN pg_temp.pick(i, 85, 100) < 60 THEN 'Ask ' || pg_temp.plain_email(i) || ' or call ' || pg_temp.phone(i) || '.'
            ELSE 'Everything went well ✅' END,
       CASE WHEN pg_temp.pick(i, 86, 10) < 6 THEN moment + interval '2 hours' END,
       moment
  FROM (SELECT users, i, pg_temp.moment(i, 87) AS moment
          FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS size, generate_series(1, users * 3) AS i) AS numbered;

DO $$ BEGIN RAISE NOTICE 'webhooks'; END $$;

INSERT INTO webhooks (id, owner_id, url, secret, events, active, created_at)
SELECT pg_temp.webhook_id(i), pg_temp.user_id(1 + pg_temp.pick(i, 90, users)),
       'https://' || (ARRAY['hooks.example.org','ci.example.net','bücher.example'])[1 + pg_temp.pick(i, 91, 3)] || '/architect/' || pg_temp.handle(i) || '?key=' || md5('key' || i),
       'whsec_' || md5('secret' || i),
       (ARRAY['{deployment.*}','{deployment.failed,build.finished}','{incident.opened}','{user.signed_in}'])[1 + pg_temp.pick(i, 92, 4)]::text[],
       i % 5 <> 0,
       pg_temp.moment(i, 93)
  FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS size, generate_series(1, greatest(5, users / 10)) AS i;

INSERT INTO webhook_deliveries (webhook_id, event_id, status, attempts, response_status, error, next_attempt_at, created_at, delivered_at)
SELECT pg_temp.webhook_id(i), pg_temp.event_id(1 + (i * 7919 + k) % (users * 6)), status::delivery_status,
       CASE status WHEN 'failed' THEN 5 ELSE 1 + k % 3 END,
       CASE status WHEN 'delivered' THEN 200 + k % 2 WHEN 'failed' THEN (ARRAY[500, 502, 404, NULL])[1 + k % 4] END,
       CASE WHEN status = 'failed' THEN 'lookup of ' || pg_temp.handle(i) || '.example failed' END,
       moment, moment, CASE WHEN status = 'delivered' THEN moment + interval '1 second' END
  FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS size, generate_series(1, greatest(5, users / 10)) AS i,
       generate_series(1, 8) AS k,
       LATERAL (SELECT pg_temp.moment(i * 11 + k, 94) AS moment, CASE WHEN pg_temp.pick(i * 11 + k, 95, 10) < 8 THEN 'delivered' ELSE 'failed' END AS status) AS each;

DO $$ BEGIN RAISE NOTICE 'audit log'; END $$;

-- Three for every user, some of people who are gone.
INSERT INTO audit_log (occurred_at, actor_id, action, detail, client_ip)
SELECT pg_temp.moment(i, 96),
       CASE WHEN pg_temp.pick(i, 97, 10) = 0 THEN NULL WHEN pg_temp.pick(i, 97, 10) = 1 THEN md5('gone' || i)::uuid ELSE pg_temp.user_id(1 + pg_temp.pick(i, 98, users)) END,
       (ARRAY['auth.login','auth.logout','webhook.created','token.created','error.resolved'])[1 + pg_temp.pick(i, 99, 5)],
       CASE WHEN i % 3 = 0 THEN jsonb_build_object('email', pg_temp.plain_email(i), 'userAgent', 'architect-cli/3.2') ELSE '{}'::jsonb END,
       pg_temp.address(i + 3)
  FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS size, generate_series(1, users * 3) AS i;
