"""The two ways in which MLflow fails: nobody answers now, or the answer is no."""

from __future__ import annotations

from polylens.errors import TrackingError


class AwayError(TrackingError):
    """The server or database cannot be reached now; the same may work later."""


class RefusedError(TrackingError):
    """The server or database answered, and said no."""
