"""Physiological signals: chunks with units, causal conditioning, scalograms, segments."""
