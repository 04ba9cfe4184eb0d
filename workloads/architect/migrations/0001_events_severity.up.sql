-- understudy: no-transaction
-- Events get a severity of their own. So far it hides in `payload -> 'level'`, as four generations of clients have written it.
-- Expand and backfill: instances of before and after run side by side, no table is rewritten or locked for long, and a run
-- that was interrupted goes on where it was.
SET lock_timeout = '400ms';

ALTER TABLE events ADD COLUMN IF NOT EXISTS severity text;

CREATE OR REPLACE FUNCTION event_severity(payload jsonb) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
  SELECT CASE lower(btrim(payload ->> 'level'))
    WHEN 'debug' THEN 'debug' WHEN '7' THEN 'debug'
    WHEN 'warning' THEN 'warning' WHEN 'warn' THEN 'warning' WHEN '4' THEN 'warning'
    WHEN 'error' THEN 'error' WHEN '3' THEN 'error'
    WHEN 'fatal' THEN 'fatal' WHEN '0' THEN 'fatal' WHEN '1' THEN 'fatal' WHEN '2' THEN 'fatal'
    ELSE 'info' END
$$;

-- Instances that do not know the column go on writing: what they leave out follows from the payload.
CREATE OR REPLACE FUNCTION set_event_severity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.severity := coalesce(NEW.severity, event_severity(NEW.payload));
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER events_severity BEFORE INSERT OR UPDATE ON events FOR EACH ROW EXECUTE FUNCTION set_event_severity();

DO $$
DECLARE
  last_id uuid := '00000000-0000-0000-0000-000000000000';
  found   integer;
BEGIN
  -- In batches of 1,000 with a commit each. Since the trigger is there, no row without a severity comes in behind.
  LOOP
    WITH batch AS MATERIALIZED (
      SELECT id FROM events WHERE id > last_id ORDER BY id LIMIT 1000
    ), changed AS (
      UPDATE events SET severity = event_severity(events.payload) FROM batch WHERE events.id = batch.id AND events.severity IS NULL
    )
    SELECT count(*), coalesce((SELECT id FROM batch ORDER BY id DESC LIMIT 1), last_id) INTO found, last_id FROM batch;
    COMMIT;
    EXIT WHEN found < 1000;
  END LOOP;
END
$$;

-- Checked without holding up anybody, so that NOT NULL need not read the table under its lock.
ALTER TABLE events DROP CONSTRAINT IF EXISTS events_severity_known;
ALTER TABLE events ADD CONSTRAINT events_severity_known
  CHECK (severity IS NOT NULL AND severity IN ('debug', 'info', 'warning', 'error', 'fatal')) NOT VALID;
ALTER TABLE events VALIDATE CONSTRAINT events_severity_known;
ALTER TABLE events ALTER COLUMN severity SET NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS events_severity_created_at_idx;
CREATE INDEX CONCURRENTLY events_severity_created_at_idx ON events (severity, created_at DESC, id DESC);

INSERT INTO schema_migrations (version) VALUES ('0001_events_severity') ON CONFLICT (version) DO NOTHING;
