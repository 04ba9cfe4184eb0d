CREATE SCHEMA half_way; SELECT no_such_function();
