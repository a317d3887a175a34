"""What things are: pure types and functions. No files, no Qt, no torch, no clock."""
