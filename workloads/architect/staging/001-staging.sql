-- What staging has and production has not. Applied to every staging database, and carried over by the data copy.
-- Idempotent. Runs as the migration owner.
CREATE SCHEMA IF NOT EXISTS staging_migrations;
CREATE SCHEMA IF NOT EXISTS staging_logs;

CREATE TABLE IF NOT EXISTS staging_migrations.test_results (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id      uuid NOT NULL,
  check_id    text NOT NULL,
  category    text NOT NULL,
  severity    text NOT NULL,
  status      text NOT NULL,
  evidence    text NOT NULL,
  duration_ms double precision NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS test_results_run_id_idx ON staging_migrations.test_results (run_id);

CREATE TABLE IF NOT EXISTS staging_logs.init_log (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event      text NOT NULL,
  detail     jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);

-- The marker: only a database that holds it is ever written to by a copy, a reset or a restore.
CREATE TABLE IF NOT EXISTS staging_logs.marker (
  only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  environment text NOT NULL DEFAULT 'staging' CHECK (environment = 'staging'),
  stack       text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now()
);
