"""Composition and use cases: the command line, the player window and what they share."""

__version__ = "0.1.0"
