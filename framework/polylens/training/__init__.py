"""Training of small networks with Lightning, and how well a network names classes."""

from polylens.training.accuracy import accuracy
from polylens.training.fitting import fit

__all__ = ["accuracy", "fit"]
