-- understudy: no-transaction
-- Takes the column away again. Nothing is lost: it followed from the payload, which stays as it was.
SET lock_timeout = '400ms';

DROP INDEX CONCURRENTLY IF EXISTS events_severity_created_at_idx;
DROP TRIGGER IF EXISTS events_severity ON events;
DROP FUNCTION IF EXISTS set_event_severity();
ALTER TABLE events DROP CONSTRAINT IF EXISTS events_severity_known;
ALTER TABLE events DROP COLUMN IF EXISTS severity;
DROP FUNCTION IF EXISTS event_severity(jsonb);

DELETE FROM schema_migrations WHERE version = '0001_events_severity';
