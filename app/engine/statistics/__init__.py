"""What the papers measure, with confidence intervals, each figure under its own name (models.md §5)."""
