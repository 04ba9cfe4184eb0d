-- understudy: no-transaction
-- Turns back those whom the migration converted and who still are CUSTOMER. Whoever was CUSTOMER before, signed up as one since,
-- or has another role by now stays as he is. The notes go with the rollback; the log table stays, empty where up made it.
SET lock_timeout = '400ms';

ALTER TABLE "User" ALTER COLUMN "role" SET DEFAULT 'LEARNER';

DO $$
DECLARE
  undone     integer;
BEGIN
  LOOP
    WITH batch AS MATERIALIZED (
      SELECT id, user_id, old_role FROM staging_migrations.role_migration_log
       WHERE migration = '0001_learner_to_customer' ORDER BY user_id LIMIT 1000 FOR UPDATE
    ), reverted AS (
      UPDATE "User" SET "role" = batch.old_role::"UserRole" FROM batch WHERE "User"."id" = batch.user_id AND "User"."role" = 'CUSTOMER'
    )
    DELETE FROM staging_migrations.role_migration_log USING batch WHERE role_migration_log.id = batch.id;
    GET DIAGNOSTICS undone = ROW_COUNT;
    COMMIT;
    EXIT WHEN undone < 1000;
  END LOOP;
END
$$;
