"""Names of numbers that every tracker accepts."""

from __future__ import annotations

import re


def metric_name(*parts: str) -> str:
    """The parts joined by dots, with all but letters, digits, `_`, `-`, `.`, `/` and spaces replaced by `_`.

    >>> metric_name("matched_ratio", "hidden.1:relu")
    'matched_ratio.hidden.1_relu'
    """
    return re.sub(r"[^A-Za-z0-9_\-./ ]", "_", ".".join(parts))
