"""Exploration: sweeps, comparisons of techniques, and what a network could do without."""
