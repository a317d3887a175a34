"""The synthetic hip: a procedural patient, fractures, and truth that is known exactly. Not anatomy: see docs."""
