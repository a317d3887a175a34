"""What the user types: one module per command."""
