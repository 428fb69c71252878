"""A past run: what MLflow holds of it, and what the store still has. No network is built for it."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from polylens.analyses import NETWORK, Analysis
from polylens.controls import Control
from polylens.errors import UsageError
from polylens.labels import Label
from polylens.reading import read
from polylens.records import Figure, Number, Rows
from polylens.scores import Score
from polylens.settings import Settings
from polylens.store import Store
from polylens.study.answering import Question
from polylens.study.readable import ReadableRun
from polylens.study.stored_run import StoredRun
from polylens.tracking import LoggedRun, RunFiles

if TYPE_CHECKING:
    import pandas as pd

_FLOATS = ("low", "high", "chance")
_TEXTS = ("interval", "chance_is", "unit", "range_is")


@dataclass(frozen=True, repr=False)
class PastRun(ReadableRun):
    """One run of one child, read back."""

    logged: LoggedRun
    """The run in MLflow: its id, name, status, tags and when it was started."""
    files: RunFiles = field(repr=False)
    settings: Settings = field(repr=False)
    note: str = field(default="", repr=False)
    """Why it is this run where its name is that of several; empty where only one was meant."""

    def __repr__(self) -> str:
        return f"PastRun({self.logged.shown})"

    def _repr_html_(self) -> str:
        """The run and its headline numbers, as notebooks show them."""
        return f"<p>{escape(self.logged.shown)}</p>{self.paper_table().to_html()}"

    @property
    def run_id(self) -> str:
        """MLflow's id."""
        return self.logged.run_id

    @property
    def name(self) -> str:
        """What people see in lists."""
        return self.logged.name

    @property
    def layer(self) -> str:
        """The layer, as the spec names it."""
        return str(self.spec["layer"])

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """The resolved spec: every name looked up and every default filled in."""
        written = self.files.resolved_spec()
        if written is None:
            raise UsageError(
                f"the run {self.logged.shown} is not one of a spec: it has no spec/resolved.yaml",
                hint="its page in MLflow shows what it has",
            )
        plain: dict[str, Any] = read(written, file=f"spec/resolved.yaml of {self.run_id}").value  # type: ignore[assignment]
        if not isinstance(plain, dict):
            raise UsageError(f"the spec of the run {self.logged.shown} cannot be read")
        return plain

    @cached_property
    def params(self) -> Mapping[str, str]:
        """The spec's fields as MLflow shows them, dotted, with `limit` where examples were limited."""
        return self.files.params()

    @cached_property
    def origins(self) -> Mapping[str, str]:
        """By dotted key of the spec, where its value was written; empty where that was not logged."""
        return self.files.origins()

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, commits, device, command, seconds, and the digest of each stage (`stages`)."""
        return self.files.provenance()

    @cached_property
    def stored(self) -> StoredRun:
        """What the store has of it."""
        spec_file = self.provenance.get("spec_file")
        again = f"`polylens run {spec_file}`" if spec_file else "running its spec again"
        stages = self.provenance.get("stages", {})
        return StoredRun(Store(self.settings.store), stages, name=self.name, again=again)

    @cached_property
    def analyses(self) -> Mapping[str, Analysis]:
        """The spec's analyses by name, without those whose kind or fields this version does not know."""
        return _members(Analysis, self.spec.get("analyses"))

    @cached_property
    def control_kinds(self) -> Mapping[str, Control]:
        """The spec's controls by name, without those whose kind or fields this version does not know."""
        return _members(Control, self.spec.get("controls"))

    @cached_property
    def label_kinds(self) -> Mapping[str, Label]:
        """The spec's labels by name, without those whose kind or fields this version does not know."""
        return _members(Label, self.spec.get("labels"))

    @cached_property
    def scores(self) -> Mapping[str, Score]:
        """The spec's scores by name, without those whose kind or fields this version does not know."""
        return _members(Score, self.spec.get("scores"))

    @cached_property
    def _numbers(self) -> Mapping[str, Number]:
        table = self.files.table("numbers")
        if table is None:
            unfinished = f"it is {self.logged.status.lower()}; numbers are written at a run's end"
            older = "an older polylens made it; the same spec, run again, writes it anew"
            raise UsageError(
                f"the run {self.logged.shown} has no table of numbers",
                hint=older if self.logged.is_finished else unfinished,
            )
        return {str(line["name"]): _number(line) for line in table.to_dict("records")}

    def numbers_by_name(self) -> Mapping[str, Number]:
        """Every number by the name it is logged by, such as `quality/purity.random_init`."""
        return self._numbers

    def headlines(self) -> tuple[str, ...]:
        """Names of the numbers that the terminal's summary shows, such as `quality/purity`."""
        rule = self.spec.get("refuted_if", ())
        lines = (rule,) if isinstance(rule, str) else tuple(rule)
        controls = tuple(self.spec.get("controls", {}))
        question = Question(self.analyses, self.label_kinds, self.scores, lines, controls)
        named = [f"{source}/{name}" for source, names in question.headlines().items() for name in names]
        known = list(self.numbers_by_name())
        # Names of labels have no dot in them, and no control stands behind the network's number.
        return tuple(
            dict.fromkeys(
                name
                for pattern in (*question.asked(), *named)
                for name in (fnmatch.filter(known, pattern) if "*" in pattern else (pattern,))
                if name.count(".") == pattern.count(".")
            )
        )

    def controls(self) -> tuple[str, ...]:
        """Names of all that the network is compared with."""
        named = [*self.spec.get("controls", {}), "raw_inputs"]
        return tuple(named)

    def table_names(self) -> tuple[str, ...]:
        """Names of all tables that MLflow has."""
        return self.files.table_names()

    def figure_names(self) -> tuple[str, ...]:
        """Names of all figures that MLflow has."""
        return self.files.figure_names()

    def read_table(self, name: str) -> pd.DataFrame:
        """One table, whole."""
        table = self.files.table(name)
        assert table is not None  # its name was just listed
        return table

    def read_figure(self, name: str) -> Figure:
        """One figure as it was logged last."""
        figure = self.files.figure(name)
        assert figure is not None  # its name was just listed
        return figure

    def rows(self, *, variant: str = NETWORK, draw: int = 1) -> Rows:
        """Rows from the store, memory-mapped; those of texts without their tokens."""
        return self.stored.rows(variant, draw)


def _members(family: type[Any], written: Any) -> dict[str, Any]:
    members = {}
    for name, plain in (written or {}).items():
        try:
            members[name] = family.model_validate(plain)
        except (ValidationError, UsageError):
            continue  # of another version, or of a package that is not here: it is read as data alone
    return members


def _number(line: Mapping[Any, Any]) -> Number:
    floats: dict[str, Any] = {name: _float(line.get(name)) for name in _FLOATS}
    texts: dict[str, Any] = {name: line[name] for name in _TEXTS if isinstance(line.get(name), str)}
    return Number(float(line["value"]), **floats, **texts)


def _float(value: Any) -> float | None:
    """A number of a table; None for NaN, which stands there for what is missing."""
    return None if value is None or value != value else float(value)
