"""What came of a study and of each of its children: numbers, labels, pages, and what MLflow lacks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from polylens.errors import PolylensError, listed, shown_path
from polylens.records import Labels, Number, Verdict
from polylens.settings import Settings
from polylens.study.metrics import metrics_of
from polylens.study.performing import StageReport
from polylens.study.plans import ChildPlan
from polylens.study.result_tables import child_html, study_html
from polylens.study.results import Result
from polylens.study.walk import Walk


@dataclass(frozen=True)
class ChildResult:
    """What came of one child."""

    name: str
    status: str
    """`done` or `failed`."""
    layer: str
    digest: str
    """Digest of the run: the spec and every stage."""
    run_id: str | None
    """MLflow's id; None where MLflow has not heard of the run."""
    results: tuple[Result, ...] = field(default=(), repr=False)
    """Every number, with each control's beside it; of a child that failed those that were finished."""
    verdict: Verdict | None = None
    """What its numbers say of the claim; None where the spec has no `refuted_if`."""
    labels: dict[str, Labels] = field(default_factory=dict, repr=False)
    """Labels of the network's clusters, by their name in the spec."""
    stages: tuple[StageReport, ...] = field(default=(), repr=False)
    report: Path | None = None
    """The HTML page in the store."""
    is_logged: bool = field(default=False, repr=False)
    """Whether MLflow has everything that was logged to the run; what it lacks is kept in the store."""
    error: PolylensError | None = None
    study: str = field(kw_only=True)
    """Name of its spec."""
    walk: Walk = field(kw_only=True, repr=False)
    """From which rows, findings and labels can be read."""

    def _repr_html_(self) -> str:
        """The headline numbers, as notebooks show them."""
        return child_html(self)

    @property
    def plan(self) -> ChildPlan:
        """The plan that it was walked by."""
        return self.walk.plan

    @property
    def numbers(self) -> dict[str, Number]:
        """Numbers by metric name."""
        return metrics_of(self.results)

    def to_plain(self) -> dict[str, Any]:
        """The child as `run --json` prints it."""
        plain: dict[str, Any] = {
            "run_id": self.run_id,
            "name": self.name,
            "status": self.status,
            "spec_digest": self.digest,
            "layer": self.layer,
            "logged": self.is_logged,
            "verdict": None if self.verdict is None else asdict(self.verdict),
            "metrics": {name: number.value for name, number in self.numbers.items()},
            "stages": [
                {"name": stage.name, "status": stage.status, "seconds": round(stage.seconds, 3)}
                for stage in self.stages
            ],
        }
        if self.error is not None:
            plain["error"] = str(self.error)
        return plain


@dataclass(frozen=True, repr=False)
class StudyResult:
    """What came of a study."""

    children: tuple[ChildResult, ...]
    settings: Settings = field(repr=False)
    name: str = ""
    overview: Path | None = None
    """The HTML page of all children together in the store; None where fewer than two were done."""
    unlogged: tuple[str, ...] = field(default=(), repr=False)
    """Names of the runs of which MLflow lacks something; it is kept in the store and sent by a later run."""
    trouble: str = field(default="", repr=False)
    """Why MLflow lacks it."""

    def __repr__(self) -> str:
        names = listed([f"{child.name} ({child.status})" for child in self.children], most=4)
        return f"StudyResult({self.name}: {names})"

    def _repr_html_(self) -> str:
        """The runs with their answering numbers, as notebooks show them."""
        return study_html(self)

    @property
    def unlogged_in_words(self) -> str:
        """What MLflow lacks, why, and what becomes of it; empty where it has everything."""
        if not self.unlogged:
            return ""
        kept = shown_path(self.settings.store / "kept")
        why = f" ({self.trouble})" if self.trouble else ""
        return (
            f"not in MLflow: {listed(self.unlogged, most=5)}{why}\n"
            f"  kept in {kept}; the next polylens run, or polylens ui, sends it"
        )

    @property
    def failed(self) -> tuple[ChildResult, ...]:
        """The children that failed."""
        return tuple(child for child in self.children if child.status == "failed")
