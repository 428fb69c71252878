"""Partitions of rows: in which space they are made, how stable they are, and how they look."""
