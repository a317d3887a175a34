"""Merging another project, or a Coxa export, into a project: without a server, again and again, and nothing is lost."""
