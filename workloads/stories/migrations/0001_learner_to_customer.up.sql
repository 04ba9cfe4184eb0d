-- understudy: no-transaction
-- Every LEARNER becomes a CUSTOMER, noted down one by one so that the rollback knows whom to turn back.
-- In batches with a commit each: no row and no table stays locked for long, and a run that was interrupted goes on where it was.
SET lock_timeout = '400ms';

-- Staging has both; production may not.
CREATE SCHEMA IF NOT EXISTS staging_migrations;

CREATE TABLE IF NOT EXISTS staging_migrations.role_migration_log (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  migration   text NOT NULL,
  user_id     uuid NOT NULL,
  old_role    text NOT NULL,
  new_role    text NOT NULL,
  migrated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (migration, user_id)
);

-- First, so that nobody signs up as a LEARNER while the batches run.
ALTER TABLE "User" ALTER COLUMN "role" SET DEFAULT 'CUSTOMER';

DO $$
DECLARE
  last_id    uuid;
  found      integer;
  converted  bigint;
BEGIN
  -- A batch is 1,000: its rows stay locked for some tens of milliseconds. Written as a number, for the planner to see it is few.
  LOOP -- pass after pass, until one finds nobody: whoever became a LEARNER behind the first is found by the next
    last_id := '00000000-0000-0000-0000-000000000000';
    converted := 0;
    LOOP
      WITH batch AS MATERIALIZED (
        SELECT "id" FROM "User" WHERE "role" = 'LEARNER' AND "id" > last_id ORDER BY "id" LIMIT 1000
      ), changed AS (
        UPDATE "User" SET "role" = 'CUSTOMER' FROM batch -- looked at once more, for whoever changed meanwhile
         WHERE "User"."id" = batch."id" AND "User"."role" = 'LEARNER' RETURNING "User"."id"
      ), noted AS (
        INSERT INTO staging_migrations.role_migration_log (migration, user_id, old_role, new_role)
        SELECT '0001_learner_to_customer', "id", 'LEARNER', 'CUSTOMER' FROM changed
        ON CONFLICT (migration, user_id) DO UPDATE SET migrated_at = now()
      )
      SELECT count(*), coalesce((SELECT "id" FROM batch ORDER BY "id" DESC LIMIT 1), last_id) INTO found, last_id FROM batch;
      COMMIT;
      converted := converted + found;
      EXIT WHEN found < 1000;
    END LOOP;
    EXIT WHEN converted = 0;
  END LOOP;
END
$$;
