"""Coxa: paired hip radiographs, reviewed, labelled and curated on one workstation. Research use only."""

__version__ = "0.1.0"
