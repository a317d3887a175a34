"""Digitally reconstructed radiographs from a user's CT: read, split into materials, find the hip, vary, expose."""
