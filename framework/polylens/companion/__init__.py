"""A second process that does pure work ahead, where there is a core for it."""

from polylens.companion.process import Companion

__all__ = ["Companion"]
