-- Other servers, which an ANALYZE of everything would ask: a table, a child and a partition of theirs, and a view that would read there.
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1', dbname 'nowhere');
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (user 'x', password 'mapped-secret');
CREATE FOREIGN TABLE remote (id int, secret text) SERVER elsewhere;
CREATE FOREIGN TABLE remote_child (more int) INHERITS (ring_a) SERVER elsewhere;
CREATE TABLE archive (id int, note text) PARTITION BY RANGE (id);
CREATE TABLE archive_here PARTITION OF archive FOR VALUES FROM (0) TO (100);
CREATE FOREIGN TABLE archive_there PARTITION OF archive FOR VALUES FROM (100) TO (200) SERVER elsewhere;
CREATE MATERIALIZED VIEW remote_summary AS SELECT count(*) FROM remote WITH NO DATA;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse();
INSERT INTO archive VALUES (5, 'here');
GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;
