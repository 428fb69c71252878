"""Pairs of examples of one class and of two: how dense boundaries are between their ends."""
