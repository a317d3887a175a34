"""The worklist's index: what makes a hundred thousand cases searchable in milliseconds. Made again from the project."""
