-- A schema that no one here wrote: what tools break on.
CREATE EXTENSION citext;
CREATE SCHEMA "Sales Data";
CREATE SCHEMA audit;
CREATE DOMAIN "Sales Data"."Post Code" AS varchar(12) CHECK (VALUE ~ '^[A-Z0-9 -]+$');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE "Sales Data".span AS (low int, high int);

-- Natural key that is masked and referred to.
CREATE TABLE "Sales Data"."Customer" (
  "E-Mail"     citext PRIMARY KEY,
  "select"     text,
  code         "Sales Data"."Post Code",
  feelings     mood[] NOT NULL DEFAULT '{}',
  aliases      text[],
  range        "Sales Data".span,
  during       tstzrange,
  picture      bytea,
  "name upper" text GENERATED ALWAYS AS (upper("select")) STORED,
  score        numeric(6,2),
  legacy       json
);

-- Self reference, identity ALWAYS, composite key.
CREATE TABLE category (
  tenant int NOT NULL,
  id     int GENERATED ALWAYS AS IDENTITY,
  parent int,
  title  varchar(10) NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, parent) REFERENCES category (tenant, id)
);

-- A cycle of two tables, one side deferrable.
CREATE TABLE team (id int PRIMARY KEY, captain int NOT NULL, UNIQUE (id, captain));
CREATE TABLE member (id serial PRIMARY KEY, team int NOT NULL REFERENCES team, nick varchar(30) NOT NULL UNIQUE, tenant int, category int,
  FOREIGN KEY (tenant, category) REFERENCES category (tenant, id));
ALTER TABLE team ADD FOREIGN KEY (captain) REFERENCES member DEFERRABLE INITIALLY DEFERRED;

-- Partitions by list under ranges, a key to a partitioned table, a masked partition key.
CREATE TABLE purchase (
  id       bigint NOT NULL,
  at       date NOT NULL,
  region   text NOT NULL,
  customer citext REFERENCES "Sales Data"."Customer" ON UPDATE CASCADE,
  note     text,
  PRIMARY KEY (id, at, region)
) PARTITION BY RANGE (at);
CREATE TABLE purchase_old PARTITION OF purchase FOR VALUES FROM (MINVALUE) TO ('2022-01-01');
CREATE TABLE purchase_new PARTITION OF purchase FOR VALUES FROM ('2022-01-01') TO (MAXVALUE) PARTITION BY LIST (region);
CREATE TABLE "purchase_new_EU" PARTITION OF purchase_new FOR VALUES IN ('EU');
CREATE TABLE purchase_new_rest PARTITION OF purchase_new DEFAULT;
CREATE TABLE refund (purchase bigint, at date, region text, reason text,
  FOREIGN KEY (purchase, at, region) REFERENCES purchase);

-- Old-style inheritance: rows of the child are not rows of the parent.
CREATE TABLE event (id int, what text);
CREATE TABLE login_event (ip inet) INHERITS (event);

-- No key at all; a key that is not primary; a NOT VALID constraint with a row that breaks it.
CREATE TABLE audit.line (moment timestamptz, text text);
CREATE TABLE country (iso char(2) NOT NULL UNIQUE, label text);
CREATE TABLE address (id int PRIMARY KEY, iso char(2) REFERENCES country (iso), member int);
ALTER TABLE address DISABLE TRIGGER ALL;
INSERT INTO address VALUES (99, NULL, 9999);
ALTER TABLE address ADD CONSTRAINT "old times" FOREIGN KEY (member) REFERENCES member NOT VALID;

CREATE SEQUENCE "Sales Data"."Invoice No" INCREMENT 10 START 500;
CREATE VIEW "Sales Data".happy AS SELECT "E-Mail" FROM "Sales Data"."Customer" WHERE 'happy' = ANY (feelings);
CREATE MATERIALIZED VIEW totals AS SELECT customer, count(*) AS purchases FROM purchase GROUP BY 1;
CREATE MATERIALIZED VIEW "top" AS SELECT max(purchases) AS most FROM totals;
CREATE UNIQUE INDEX ON totals (customer);
CREATE INDEX ON "Sales Data"."Customer" (lower("select")) WHERE "select" IS NOT NULL;

CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit.line VALUES (now(), TG_TABLE_NAME); RETURN NEW; END $$;
CREATE TRIGGER noted AFTER INSERT ON country FOR EACH ROW EXECUTE FUNCTION audit.note();
CREATE RULE no_delete AS ON DELETE TO country DO INSTEAD NOTHING;
ALTER TABLE country ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone ON country USING (true);

INSERT INTO "Sales Data"."Customer" ("E-Mail", "select", code, feelings, aliases, range, during, picture, score, legacy)
SELECT 'Person' || i || '@Example.org', CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'Order "by" ' || i END, 'AB-' || i, ARRAY['ok', 'happy']::mood[],
       CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY['alias number ' || i, NULL, 'x\y"z' || i] END, ROW(i, i + 1)::"Sales Data".span,
       tstzrange('2020-01-01', '2021-01-01'), decode(md5(i::text), 'hex'), i, json_build_object('a', i, 'a', i + 1)
  FROM generate_series(1, 40) i;
INSERT INTO category (tenant, parent, title) SELECT 1 + i % 2, CASE WHEN i > 2 THEN i - 2 END, 'title ' || i FROM generate_series(1, 30) i;
BEGIN;
INSERT INTO team SELECT i, i FROM generate_series(1, 20) i;
-- Pairs of teams: each one's captain plays in the other.
INSERT INTO member (team, nick, tenant, category) SELECT CASE WHEN i <= 20 THEN 1 + ((i - 1) # 1) ELSE 1 + i % 20 END, 'the nick of ' || i, 1 + i % 2, i FROM generate_series(1, 30) i;
COMMIT;
INSERT INTO purchase SELECT i, date '2021-06-01' + i * 10, CASE i % 3 WHEN 0 THEN 'EU' WHEN 1 THEN 'US' ELSE 'AP' END,
       CASE WHEN i % 7 > 0 THEN upper('person' || (1 + i % 40) || '@example.org') END, E'line\tone\nline \\ two' FROM generate_series(1, 120) i;
INSERT INTO refund SELECT id, at, region, 'because' FROM purchase WHERE id % 5 = 0;
INSERT INTO event VALUES (1, 'started'), (2, 'ended');
INSERT INTO login_event VALUES (3, 'login', '192.0.2.7'), (4, 'login', '2001:db8::1/64');
INSERT INTO audit.line SELECT now(), 'line ' || i FROM generate_series(1, 5) i;
INSERT INTO country VALUES ('DE', 'Germany'), ('PT', 'Portugal'), ('LV', 'Latvia');
INSERT INTO address SELECT i, (ARRAY['DE', 'PT'])[1 + i % 2], CASE WHEN i % 2 = 0 THEN i END FROM generate_series(1, 20) i;
SELECT setval('"Sales Data"."Invoice No"', 730);
REFRESH MATERIALIZED VIEW totals;
REFRESH MATERIALIZED VIEW "top";
