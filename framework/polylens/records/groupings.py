"""Sets of rows that no clustering found, to be set beside clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int64


@dataclass(frozen=True)
class Grouping:
    """As many sets of rows as clusters, each as large as one of them, such as the top rows of neurons."""

    labels: Int64[np.ndarray, "rows"]
    """Which set each row is in, counted from 0; -1 for none."""
    is_control: bool = False
    """Whether it was made to mean nothing, such as random directions."""
