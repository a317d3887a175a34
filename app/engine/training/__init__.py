"""The trainer: reads a frozen run folder, writes progress, checkpoints, figures and a card."""
