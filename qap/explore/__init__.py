"""Exploration: what a run's network could do without, and how techniques compare."""
