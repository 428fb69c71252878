"""Tables of a run's numbers and of a parent's children."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from polylens.records import Number
from polylens.tracking.views import VERDICT_TAG

if TYPE_CHECKING:
    import pandas as pd


class Summarised(Protocol):
    """What the table of children needs of a run."""

    @property
    def name(self) -> str:
        """What people see in lists."""

    @property
    def run_id(self) -> str | None:
        """MLflow's id, where it is known."""

    status: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]


def numbers_table(numbers: Mapping[str, Number]) -> pd.DataFrame:
    """Every number with its range, its chance level and what they are: what metrics alone cannot say."""
    import pandas as pd

    columns = ("value", "low", "high", "range_is", "interval", "chance", "chance_is", "unit")
    rows = [
        {"name": name, **{key: getattr(number, key) for key in columns}} for name, number in numbers.items()
    ]
    table = pd.DataFrame(rows, columns=["name", *columns])
    return table.astype(dict.fromkeys(("value", "low", "high", "chance"), "float64"))


def children_table(children: Sequence[Summarised]) -> pd.DataFrame:
    """One row a child: its name, verdict and metrics, the params that differ between children, and its id."""
    import pandas as pd

    params = _names([child.params for child in children])
    differing = [key for key in params if len({child.params.get(key) for child in children}) > 1]
    metrics = _names([child.metrics for child in children])
    rows = [
        {
            "run": child.name,
            "verdict": child.tags.get(VERDICT_TAG),
            **{key: child.metrics.get(key, float("nan")) for key in metrics},
            **{key: child.params.get(key) for key in differing},
            "status": child.status,
            "run_id": child.run_id,
        }
        for child in children
    ]
    verdict = ["verdict"] if any(VERDICT_TAG in child.tags for child in children) else []
    columns = ["run", *verdict, *metrics, *differing, "status", "run_id"]
    return pd.DataFrame(rows, columns=list(dict.fromkeys(columns)))


def _names(mappings: Sequence[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))
