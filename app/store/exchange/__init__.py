"""Data sets for others, and back: plan what an export holds, write it whole or not at all, read it again."""
