"""The only room with SQL in it: tables, and one module of statements per table group."""
