"""What came of a study and of each of its children: numbers, labels, pages, and what MLflow lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylens.analyses import NETWORK, Analysis
from polylens.controls import Control
from polylens.errors import PolylensError, UsageError, listed, shown_path
from polylens.labels import Label
from polylens.records import Figure, Labels, Number, Rows, Verdict
from polylens.scores import Score
from polylens.settings import Settings
from polylens.study.drawing import Drawing
from polylens.study.metrics import metrics_of
from polylens.study.performing import StageReport
from polylens.study.plans import ChildPlan, VariantPlan
from polylens.study.readable import ReadableRun
from polylens.study.result_tables import child_html, study_html
from polylens.study.results import Result
from polylens.study.run_tables import tables_of
from polylens.study.stored_run import StoredRun
from polylens.study.walk import Walk

if TYPE_CHECKING:
    import pandas as pd

    from polylens.study.people.said import People


@dataclass(frozen=True)
class ChildResult(ReadableRun):
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

    def numbers_by_name(self) -> dict[str, Number]:
        """Every number by the name it is logged by, such as `quality/purity.random_init`."""
        return metrics_of(self.results)

    def headlines(self) -> tuple[str, ...]:
        """Names of the numbers that the terminal's summary shows."""
        return tuple(f"{result.source}/{result.name}" for result in self.results if result.headline)

    def controls(self) -> tuple[str, ...]:
        """Names of all that the network is compared with."""
        return tuple(dict.fromkeys(variant.name for variant in self.plan.controls()))

    def table_names(self) -> tuple[str, ...]:
        """Names of all tables, as MLflow has them."""
        return tuple(name for name, _ in self._tables())

    def figure_names(self) -> tuple[str, ...]:
        """Names of all figures, as MLflow has them."""
        return tuple(figure.name for figure in self._figures())

    def read_table(self, name: str) -> pd.DataFrame:
        """One table of `table_names`."""
        return next(table for known, table in self._tables() if known == name)

    def read_figure(self, name: str) -> Figure:
        """One figure of `figure_names`."""
        return next(figure for figure in self._figures() if figure.name == name)

    def rows(self, *, variant: str = NETWORK, draw: int = 1) -> Rows:
        """Rows from the store, memory-mapped; those of texts with their tokens."""
        return self.walk.rows(self._variant(variant, draw))

    @property
    def analyses(self) -> Mapping[str, Analysis]:
        """The spec's analyses, by name."""
        return self.plan.experiment.analyses

    @property
    def scores(self) -> Mapping[str, Score]:
        """The spec's scores of labels, by name."""
        return self.plan.experiment.scores

    @property
    def control_kinds(self) -> Mapping[str, Control]:
        """The spec's controls, by name."""
        return {named.name: named.control for named in self.plan.experiment.controls}

    @property
    def label_kinds(self) -> Mapping[str, Label]:
        """The spec's labels, by name."""
        return self.plan.experiment.labels

    @property
    def stored(self) -> StoredRun:
        """What the store has of it."""
        stages = {stage.name: stage.digest for stage in self.plan.stages()}
        return StoredRun(self.walk.workshop.store, stages, name=self.name, again="the same command")

    def _variant(self, name: str, draw: int) -> VariantPlan:
        self.stored.check_variant(name, draw)
        return [variant for variant in self.plan.variants if variant.name == name][draw - 1]

    def _tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        from polylens.tracking.summary import numbers_table

        self._check_finished()
        yield "numbers", numbers_table(self.numbers_by_name())
        yield from tables_of(self.walk, self.results)

    def _figures(self) -> tuple[Figure, ...]:
        self._check_finished()
        return Drawing(self.walk).figures()

    def _check_finished(self) -> None:
        """Of a child that failed, stages are missing, and reading them would compute them."""
        if self.error is not None:
            raise UsageError(
                f"the run '{self.name}' failed",
                hint=f"what it finished is in MLflow: polylens.open_run('{self.run_id}')",
            )

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
            "metrics": {name: number.value for name, number in self.numbers_by_name().items()},
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

    def child(self, name: str | None = None) -> ChildResult:
        """One of the children by its name, or the only one.

        Raises:
            UsageError: there are several, or none of this name; lists the names.
        """
        names = [child.name for child in self.children]
        if name is None and len(names) == 1:
            return self.children[0]
        if name not in names:
            raise UsageError(f"say which child: {', '.join(names)}")
        return self.children[names.index(name)]

    def numbers(self) -> pd.DataFrame:
        """The numbers of all children, as `ReadableRun.numbers` has them; `run` says whose each is."""
        import pandas as pd

        tables = [child.numbers() for child in self.children]
        for child, table in zip(self.children, tables, strict=True):
            table.insert(0, "run", child.name)
        return pd.concat(tables, ignore_index=True)

    def table(self, name: str, *, child: str | None = None) -> pd.DataFrame:
        """One table of one child; raises as `child` and `ReadableRun.table` do."""
        return self.child(child).table(name)

    def figure(self, name: str, *, child: str | None = None) -> Figure:
        """One figure of one child; raises as `child` and `ReadableRun.figure` do."""
        return self.child(child).figure(name)

    def people(self, of: str | None = None, *, child: str | None = None) -> People:
        """What people have said of one child's clusters; raises as `child` and `ReadableRun.people` do."""
        return self.child(child).people(of)

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
