"""Reads files that Coxa did not write, in a separate process with memory and time limits."""
