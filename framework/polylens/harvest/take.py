"""Takes: what is asked of a forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from polylens.codes import Code
from polylens.sampling import Sampling

STAGE = "harvest"
"""The kind under which rows lie in the store."""


@dataclass(frozen=True)
class Take:
    """Rows of one layer: its activations, or a code."""

    digest: str
    """Under which the rows are stored."""
    layer: str
    part: Literal["activations", "codes"]
    sampling: Sampling | None = None
    """Which positions become rows; without effect where a row is a whole example."""
    code: Code | None = None
    """Which code, where `part` is `codes`."""
    whole: bool = False
    """One row per example, its tensor flattened, instead of one per position."""
    thumbnail: int | None = None
    """Whole images are first averaged down to at most this many pixels a side."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data that `from_plain` reads again."""
        return {
            "digest": self.digest,
            "layer": self.layer,
            "part": self.part,
            "sampling": None if self.sampling is None else self.sampling.to_plain(),
            "code": None if self.code is None else self.code.to_plain(),
            "whole": self.whole,
            "thumbnail": self.thumbnail,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Take:
        """The take that `to_plain` wrote."""
        sampling, code = plain["sampling"], plain["code"]
        plugins: dict[str, Any] = {
            "sampling": None if sampling is None else Sampling.model_validate(sampling),
            "code": None if code is None else Code.model_validate(code),
        }
        return cls(**{**plain, **plugins})
