"""Strict YAML 1.2: plain scalars, maps and lists, each with the place it was read from."""

from polylens.reading.document import Document, Node, Plain, Scalar
from polylens.reading.reader import read, read_value
from polylens.reading.writer import write

__all__ = ["Document", "Node", "Plain", "Scalar", "read", "read_value", "write"]
