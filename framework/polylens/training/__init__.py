"""Training of small networks with Lightning, and how well a network names classes or the next token."""

from polylens.training.accuracy import accuracy
from polylens.training.fitting import fit
from polylens.training.language import fit_language
from polylens.training.prediction import next_token_numbers

__all__ = ["accuracy", "fit", "fit_language", "next_token_numbers"]
