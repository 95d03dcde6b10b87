"""At rest: tables, sessions and queries on SQLite or PostgreSQL."""
