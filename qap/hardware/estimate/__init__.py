"""Estimates of what a network takes, before any synthesis."""
