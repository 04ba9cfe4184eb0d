-- Fills a sample production database: current_setting('understudy.source_users') users and all that belongs to them.
-- Deterministic: the same number gives the same rows. Everything follows from hashes of row numbers, nothing from
-- random() or the clock; times are written with their zone. Addresses and numbers are from the ranges reserved for
-- documentation (RFC 2606, RFC 5737, RFC 3849, 555-01xx). Foreign keys are checked by whoever runs this, at the end.
SET timezone = 'UTC';

-- Written so that the planner can inline each: no STABLE operator (text || bigint) inside an IMMUTABLE one.

-- A number from 0 to n - 1 that follows from row i and the salt of what it decides.
CREATE FUNCTION pg_temp.pick(i bigint, salt bigint, n bigint) RETURNS bigint IMMUTABLE LANGUAGE sql
AS $$ SELECT abs(hashint8extended(i, salt) % n) $$;

CREATE FUNCTION pg_temp.user_id(i bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$ SELECT md5('user' || i::text)::uuid $$;
CREATE FUNCTION pg_temp.story_id(i bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$ SELECT md5('story' || i::text)::uuid $$;

CREATE FUNCTION pg_temp.given(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT (ARRAY['Anna','Ben','Clara','David','Emma','Felix','Grace','Hugo','Ida','Jonas','Karin','Leo','Mia','Noah','Olga',
    'Paul','Rosa','Samuel','Tara','Victor','Aisha','Bilal','Chloé','Zoë','Søren','Łukasz','Ñusta','Þór','Zoe' || U&'\0308',
    'Nguye' || U&'\0302\0303' || 'n','Ольга','Дмитрий','محمد','فاطمة','שרה','太郎','秀英','지우','Ana 🦊','J'])[1 + pg_temp.pick(i, 1, 40)]
$$;
CREATE FUNCTION pg_temp.family(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT (ARRAY['Berg','Castillo','Dubois','Evans','Fischer','García','Hansen','Ito','Jensen','Kowalski','Lopez','Müller',
    'Novak','Okafor','Petrov','Quinn','Rossi','Schmidt','Tanaka','Usman','Virtanen','Weber','Xu','Yilmaz','Zhang','O''Brien',
    'D''Angelo','de la Cruz','van der Berg','Smith-Jones','Ng','Null','St. John','McDonald','Иванова','الفاسي','כהן','山田','김',
    'Åström'])[1 + pg_temp.pick(i, 2, 40)]
$$;
-- What an email is made of: plain ASCII, unique through the row number.
CREATE FUNCTION pg_temp.handle(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT (ARRAY['anna','ben','clara','david','emma','felix','grace','hugo','ida','jonas','mia','noah','olga','paul','reader',
    'tara'])[1 + pg_temp.pick(i, 3, 16)] || '.' || (ARRAY['berg','evans','ito','lopez','novak','quinn','rossi','weber'])[1 + pg_temp.pick(i, 4, 8)] || i::text
$$;
CREATE FUNCTION pg_temp.plain_email(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT pg_temp.handle(i) || '@' || (ARRAY['example.org','example.net','example.com','mail.example','school.example'])[1 + pg_temp.pick(i, 5, 5)]
$$;
-- As people and imports wrote it: mixed case, doubles of the row before but for case or blanks, long, tagged, beyond ASCII.
CREATE FUNCTION pg_temp.email(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE
    WHEN i % 97 = 13 THEN initcap(pg_temp.plain_email(i))
    WHEN i % 211 = 17 THEN ' ' || initcap(pg_temp.plain_email(i - 1)) || ' '
    WHEN i % 503 = 23 THEN upper(pg_temp.plain_email(i - 1))
    WHEN i % 1009 = 31 THEN rpad(pg_temp.handle(i), 64, 'x') || '@example.org'
    WHEN i % 701 = 5 THEN pg_temp.handle(i) || '+news@example.net'
    WHEN i % 307 = 7 THEN pg_temp.handle(i) || '@bücher.example'
    ELSE pg_temp.plain_email(i) END
$$;
CREATE FUNCTION pg_temp.phone(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE pg_temp.pick(i, 6, 4)
    WHEN 0 THEN '+1-202-555-01' || lpad(pg_temp.pick(i, 7, 100)::text, 2, '0')
    WHEN 1 THEN '(415) 555-01' || lpad(pg_temp.pick(i, 7, 100)::text, 2, '0')
    WHEN 2 THEN '+44 20 7946 0' || lpad(pg_temp.pick(i, 7, 1000)::text, 3, '0')
    ELSE '+442079460' || lpad(pg_temp.pick(i, 7, 1000)::text, 3, '0') END
$$;
CREATE FUNCTION pg_temp.city(i bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT (ARRAY['Berlin','Lagos','São Paulo','Zürich','Kraków','Osaka','Accra','Lima','Malmö','Halifax'])[1 + pg_temp.pick(i, 8, 10)]
$$;
-- Six years, and the instants that break date arithmetic: leap day, before 2000, both changes of the clocks, the turn of a year.
CREATE FUNCTION pg_temp.moment(i bigint, salt bigint) RETURNS timestamptz STABLE LANGUAGE sql AS $$
  SELECT CASE pg_temp.pick(i, salt, 400)
    WHEN 0 THEN timestamptz '2024-02-29 23:59:59.999999+00'
    WHEN 1 THEN timestamptz '1999-12-31 23:59:59+00'
    WHEN 2 THEN timestamptz '2021-03-28 01:00:00+00'
    WHEN 3 THEN timestamptz '2021-10-31 00:30:00+00'
    WHEN 4 THEN timestamptz '2022-12-31 23:30:00-01'
    ELSE timestamptz '2019-01-07 06:00:00+00' + pg_temp.pick(i, salt + 1, 189000000) * interval '1 second' END
$$;
CREATE FUNCTION pg_temp.sentence(i bigint, k bigint) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT (ARRAY['Once there was a lantern that no wind could put out.','Nobody in the village had ever seen the sea.',
    'The river spoke only to those who could wait.','“Where does the road end?” asked the child.','Her grandmother kept a map of songs.',
    'По утрам лес молчал.','鳥は北へ飛んで行った。','Three brothers set out, and one came back.','The fox – clever as ever – said nothing.',
    'In the market, stories cost less than bread.','It rained for 1001 days.','He wrote it down so as not to forget 🌙.'])
    [1 + pg_temp.pick(i * 1009 + k, 9, 12)]
$$;

DO $$ BEGIN RAISE NOTICE 'users'; END $$;

INSERT INTO "User" ("id", "email", "emailVerified", "name", "phone", "passwordHash", "role", "schoolName", "bio", "lastIp",
                    "preferences", "createdAt", "updatedAt")
SELECT pg_temp.user_id(i),
       pg_temp.email(i),
       CASE WHEN pg_temp.pick(i, 10, 100) < 80 THEN moment + interval '7 minutes' END,
       CASE WHEN pg_temp.pick(i, 11, 100) < 3 THEN NULL
            WHEN pg_temp.pick(i, 11, 100) < 4 THEN ''
            WHEN pg_temp.pick(i, 11, 100) < 5 THEN '  ' || pg_temp.given(i) || ' ' || pg_temp.family(i) || ' '
            WHEN pg_temp.pick(i, 11, 100) < 7 THEN pg_temp.given(i)
            WHEN pg_temp.pick(i, 11, 1000) = 999 THEN repeat(pg_temp.given(i) || ' ', 60) || pg_temp.family(i)
            ELSE pg_temp.given(i) || ' ' || pg_temp.family(i) END,
       CASE WHEN pg_temp.pick(i, 12, 100) < 30 THEN NULL WHEN pg_temp.pick(i, 12, 100) < 32 THEN '' ELSE pg_temp.phone(i) END,
       CASE WHEN pg_temp.pick(i, 13, 100) < 90 THEN '$2b$10$' || left(translate(encode(sha256(('password' || i)::bytea), 'base64'), '+=', './') || md5('p' || i), 53) END,
       CASE WHEN i <= 7 THEN (enum_range(NULL::"UserRole"))[i]
            WHEN part < 700 THEN 'LEARNER' WHEN part < 800 THEN 'CUSTOMER' WHEN part < 870 THEN 'TEACHER' WHEN part < 920 THEN 'AUTHOR'
            WHEN part < 970 THEN 'VOLUNTEER' WHEN part < 997 THEN 'INSTITUTION' ELSE 'ADMIN' END::"UserRole",
       CASE WHEN part BETWEEN 800 AND 869 THEN pg_temp.city(i) || ' Primary School' WHEN pg_temp.pick(i, 14, 100) < 10 THEN '' END,
       CASE WHEN i % 1999 = 61 THEN repeat(pg_temp.sentence(i, 0) || E'\n', 2000)
            WHEN pg_temp.pick(i, 15, 100) < 60 THEN NULL
            WHEN pg_temp.pick(i, 15, 100) < 62 THEN ''
            WHEN pg_temp.pick(i, 15, 100) < 70 THEN 'Reader from ' || pg_temp.city(i) || '. Write to me at ' || pg_temp.plain_email(i) || ' or call ' || pg_temp.phone(i) || '.'
            ELSE pg_temp.sentence(i, 1) || ' ' || pg_temp.sentence(i, 2) END,
       CASE WHEN pg_temp.pick(i, 16, 100) < 15 THEN NULL
            WHEN pg_temp.pick(i, 16, 100) < 35 THEN inet '2001:db8::' + pg_temp.pick(i, 17, 4611686018427387904)
            WHEN pg_temp.pick(i, 16, 100) < 60 THEN inet '192.0.2.0' + pg_temp.pick(i, 17, 256)
            WHEN pg_temp.pick(i, 16, 100) < 99 THEN inet '203.0.113.0' + pg_temp.pick(i, 17, 256)
            ELSE inet '198.51.100.0/24' END,
       CASE WHEN pg_temp.pick(i, 18, 100) < 5 THEN '{}'::jsonb
            WHEN pg_temp.pick(i, 18, 100) < 20 THEN
              jsonb_build_object('locale', 'de', 'newsletter', true, 'recoveryEmail', 'recover.' || pg_temp.plain_email(i))
            WHEN pg_temp.pick(i, 18, 100) < 22 THEN
              jsonb_build_object('locale', 'en', 'contacts', jsonb_build_array(
                jsonb_build_object('name', pg_temp.given(i + 1), 'email', pg_temp.plain_email(i + 1), 'phone', pg_temp.phone(i + 1))))
            ELSE jsonb_build_object('locale', 'en', 'newsletter', i % 2 = 0, 'fontSize', 12 + i % 8) END,
       moment,
       moment + pg_temp.pick(i, 19, 8640000) * interval '1 second'
  FROM (SELECT i, pg_temp.pick(i, 20, 1000) AS part, pg_temp.moment(i, 21) AS moment
          FROM generate_series(1, current_setting('understudy.source_users')::bigint) AS i) AS numbered;

DO $$ BEGIN RAISE NOTICE 'stories'; END $$;

-- A story for every 25 users, at least 40; most by an author, some by nobody that is left.
WITH authors AS MATERIALIZED (SELECT "id", row_number() OVER (ORDER BY "id") AS number FROM "User" WHERE "role" = 'AUTHOR')
INSERT INTO "Story" ("id", "slug", "title", "body", "status", "authorId", "priceCents", "tags", "metadata", "publishedAt", "createdAt")
SELECT pg_temp.story_id(i),
       'story-' || i || '-' || (ARRAY['lantern','river','fox','map','market','lighthouse'])[1 + pg_temp.pick(i, 30, 6)],
       (ARRAY['The Lantern','Река','The Fox''s Promise','A Map of Songs','Le Marché','灯台','قصة النهر','The “Last” Lighthouse'])[1 + pg_temp.pick(i, 31, 8)] || ' ' || i,
       CASE WHEN i % 499 = 11 THEN repeat(pg_temp.sentence(i, 3) || ' ', 5000)
            WHEN pg_temp.pick(i, 32, 50) = 0 THEN ''
            ELSE (SELECT string_agg(pg_temp.sentence(i, k), ' ' ORDER BY k) FROM generate_series(1, 4 + pg_temp.pick(i, 33, 12)) AS k) END,
       status::"StoryStatus",
       CASE WHEN pg_temp.pick(i, 34, 100) >= 8 THEN authors.id END,
       CASE WHEN pg_temp.pick(i, 35, 100) < 40 THEN 0 ELSE 99 + 100 * pg_temp.pick(i, 36, 30) END,
       CASE pg_temp.pick(i, 37, 5) WHEN 0 THEN '{}' WHEN 1 THEN '{bedtime}' WHEN 2 THEN '{adventure,"long read"}'
            WHEN 3 THEN '{école,Ölbild}' ELSE '{adventure,bedtime,""}' END::text[],
       CASE WHEN pg_temp.pick(i, 38, 10) = 0 THEN jsonb_build_object('source', 'import', 'editor', pg_temp.plain_email(1 + pg_temp.pick(i, 39, users)))
            ELSE jsonb_build_object('ageFrom', 3 + i % 9, 'languages', jsonb_build_array('en', 'de')) END,
       CASE WHEN status IN ('PUBLISHED', 'ARCHIVED') THEN pg_temp.moment(i, 41) END,
       pg_temp.moment(i, 41) - interval '30 days'
  FROM (SELECT i, users, (ARRAY['PUBLISHED','PUBLISHED','PUBLISHED','PUBLISHED','PUBLISHED','PUBLISHED','DRAFT','DRAFT','IN_REVIEW','ARCHIVED'])
                           [1 + pg_temp.pick(i, 43, 10)] AS status
          FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS size, generate_series(1, greatest(40, users / 25)) AS i) AS numbered
  LEFT JOIN authors ON authors.number = 1 + i % (SELECT greatest(1, count(*)) FROM authors)
 ORDER BY i;

DO $$ BEGIN RAISE NOTICE 'reading lists'; END $$;

-- A fifth of the users reads nothing, most a few stories, one in 5,000 thousands.
INSERT INTO "UserStory" ("userId", "storyId", "progress", "isFavorite", "note", "lastReadAt")
SELECT pg_temp.user_id(i),
       pg_temp.story_id(1 + (pg_temp.pick(i, 50, stories) + k * stride) % stories),
       CASE pg_temp.pick(i * 5003 + k, 51, 5) WHEN 0 THEN 0 WHEN 1 THEN 100 ELSE pg_temp.pick(i * 5003 + k, 52, 10000) / 100.0 END,
       pg_temp.pick(i * 5003 + k, 53, 10) = 0,
       CASE WHEN pg_temp.pick(i * 5003 + k, 54, 100) < 85 THEN NULL
            WHEN pg_temp.pick(i * 5003 + k, 54, 100) < 87 THEN ''
            WHEN pg_temp.pick(i * 5003 + k, 54, 100) < 90 THEN 'Tell ' || pg_temp.given(i + k) || ' <' || pg_temp.plain_email(i + k) || '> about this'
            ELSE pg_temp.sentence(i, k) END,
       CASE WHEN pg_temp.pick(i * 5003 + k, 55, 10) > 0 THEN pg_temp.moment(i * 5003 + k, 56) END
  FROM (SELECT users, stories, CASE WHEN stories % 7919 = 0 THEN 7907 ELSE 7919 END AS stride
          FROM (SELECT users, greatest(40, users / 25) AS stories
                  FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS one) AS two) AS size,
       generate_series(1, users) AS i,
       generate_series(1, CASE WHEN i % 5000 = 42 THEN least(stories, 3000) WHEN pg_temp.pick(i, 57, 100) < 20 THEN 0
                               ELSE 1 + pg_temp.pick(i, 58, 5) END) AS k;

DO $$ BEGIN RAISE NOTICE 'orders'; END $$;

-- Two users in three never order, most others up to four times, one in 50,000 thousands of times.
INSERT INTO "Order" ("number", "userId", "storyId", "status", "amountCents", "currency", "shippingAddress", "cardLast4", "createdAt")
SELECT 'ORD-' || i || '-' || k,
       pg_temp.user_id(i),
       CASE WHEN pg_temp.pick(n, 60, 10) > 0 THEN pg_temp.story_id(1 + pg_temp.pick(n, 61, stories)) END,
       (enum_range(NULL::"OrderStatus"))[1 + pg_temp.pick(n, 62, 5)],
       CASE WHEN pg_temp.pick(n, 63, 200) = 0 THEN 0 WHEN pg_temp.pick(n, 63, 200) = 1 THEN 2147483647 ELSE 199 + 50 * pg_temp.pick(n, 64, 200) END,
       (ARRAY['EUR','EUR','USD','GBP','JPY'])[1 + pg_temp.pick(n, 65, 5)],
       CASE WHEN pg_temp.pick(n, 66, 100) < 30 THEN NULL
            WHEN pg_temp.pick(n, 66, 100) < 32 THEN '{}'::jsonb
            WHEN pg_temp.pick(n, 66, 100) < 45 THEN jsonb_build_object('name', pg_temp.given(i) || ' ' || pg_temp.family(i), 'street', (1 + n % 200) || ' Example Street',
              'city', pg_temp.city(i), 'postalCode', lpad((n % 100000)::text, 5, '0'), 'email', pg_temp.plain_email(i), 'note', 'Ring twice, ask for ' || pg_temp.family(i))
            ELSE jsonb_build_object('name', pg_temp.given(i) || ' ' || pg_temp.family(i), 'street', (1 + n % 200) || ' Example Street',
              'city', pg_temp.city(i), 'postalCode', lpad((n % 100000)::text, 5, '0')) END,
       CASE WHEN pg_temp.pick(n, 67, 100) < 80 THEN lpad(pg_temp.pick(n, 68, 10000)::text, 4, '0') END,
       pg_temp.moment(n, 69)
  FROM (SELECT users, greatest(40, users / 25) AS stories
          FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS one) AS size,
       generate_series(1, users) AS i,
       generate_series(1, CASE WHEN i % 50000 = 77 THEN least(5000, greatest(20, users / 10)) WHEN pg_temp.pick(i, 70, 100) < 65 THEN 0
                               ELSE 1 + pg_temp.pick(i, 71, 4) END) AS k,
       LATERAL (SELECT i * 5003 + k AS n) AS row_number;

DO $$ BEGIN RAISE NOTICE 'donations'; END $$;

-- One for every five users. A third has no user: given anonymously, or by people who are gone, known by an email that is nobody's.
INSERT INTO "Donation" ("userId", "donorEmail", "donorName", "amountCents", "currency", "message", "legacyRef", "createdAt")
SELECT CASE WHEN kind >= 34 THEN pg_temp.user_id(donor) END,
       CASE WHEN kind < 12 THEN NULL WHEN kind < 14 THEN '' WHEN kind < 34 THEN 'gone.' || pg_temp.handle(users + n) || '@example.net'
            WHEN kind < 40 THEN upper(pg_temp.plain_email(donor)) ELSE pg_temp.email(donor) END,
       CASE WHEN kind < 12 THEN NULL WHEN kind < 34 THEN pg_temp.given(users + n) || ' ' || pg_temp.family(users + n)
            ELSE pg_temp.given(donor) || ' ' || pg_temp.family(donor) END,
       CASE pg_temp.pick(n, 80, 50) WHEN 0 THEN 1 WHEN 1 THEN 100000000 ELSE 500 * (1 + pg_temp.pick(n, 81, 40)) END,
       (ARRAY['EUR','EUR','EUR','USD','CHF'])[1 + pg_temp.pick(n, 82, 5)],
       CASE WHEN pg_temp.pick(n, 83, 100) < 60 THEN NULL WHEN pg_temp.pick(n, 83, 100) < 62 THEN ''
            WHEN pg_temp.pick(n, 83, 100) < 72 THEN 'In memory of ' || pg_temp.given(n) || ' ' || pg_temp.family(n) || '. Receipt to ' || pg_temp.plain_email(donor) || ', please.'
            ELSE pg_temp.sentence(n, 4) END,
       CASE WHEN kind BETWEEN 12 AND 33 THEN 'LEG-' || lpad((n % 900000)::text, 6, '0') WHEN kind = 34 THEN 'LEG-000000' END,
       pg_temp.moment(n, 84)
  FROM (SELECT users, n, pg_temp.pick(n, 86, 100) AS kind, 1 + pg_temp.pick(n, 87, users) AS donor
          FROM (SELECT current_setting('understudy.source_users')::bigint AS users) AS size, generate_series(1, greatest(3, users / 5)) AS n) AS numbered;
