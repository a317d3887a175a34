"""Where things are kept: SQLite and files. No Qt, no torch."""
