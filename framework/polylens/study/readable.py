"""What can be read of a run, whether it is at hand or a past one: one set of questions for both."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from polylens.analyses import NETWORK, Analysis
from polylens.controls import Control
from polylens.errors import UsageError, listed, nearest
from polylens.labels import Label
from polylens.records import Figure, Number, Rows
from polylens.scores import Score
from polylens.study.paper import latex_of, paper_table
from polylens.study.redrawing import redrawn
from polylens.study.stored_run import StoredRun

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as MatplotlibFigure

    from polylens.study.people.said import People

_COLUMNS = ("value", "low", "high", "chance", "range_is", "interval", "chance_is", "unit")


class ReadableRun(ABC):
    """One run's numbers, tables, figures, rows, clusters and labels. Reading computes nothing."""

    @abstractmethod
    def numbers_by_name(self) -> Mapping[str, Number]:
        """Every number by the name it is logged by, such as `quality/purity.random_init`."""

    @property
    @abstractmethod
    def stored(self) -> StoredRun:
        """What the store has of it."""

    @property
    @abstractmethod
    def analyses(self) -> Mapping[str, Analysis]:
        """The spec's analyses, by name."""

    @property
    @abstractmethod
    def scores(self) -> Mapping[str, Score]:
        """The spec's scores of labels, by name."""

    @property
    @abstractmethod
    def control_kinds(self) -> Mapping[str, Control]:
        """The spec's controls, by name."""

    @property
    @abstractmethod
    def label_kinds(self) -> Mapping[str, Label]:
        """The spec's labels, by name."""

    @abstractmethod
    def headlines(self) -> tuple[str, ...]:
        """Names of the numbers that the terminal's summary shows, such as `quality/purity`."""

    @abstractmethod
    def controls(self) -> tuple[str, ...]:
        """Names of all that the network is compared with: controls, and `raw_inputs` where there are any."""

    @abstractmethod
    def table_names(self) -> tuple[str, ...]:
        """Names of all tables, such as `clusters.sizes`, and of a control `random_init.1/clusters.sizes`."""

    @abstractmethod
    def figure_names(self) -> tuple[str, ...]:
        """Names of all figures, such as `quality-scores`."""

    @abstractmethod
    def rows(self, *, variant: str = NETWORK, draw: int = 1) -> Rows:
        """The rows of the network, or of one draw of a control, memory-mapped from the store.

        Raises:
            UsageError: the run has no such variant.
            StoreError: the store lacks them.
        """

    @abstractmethod
    def read_table(self, name: str) -> pd.DataFrame:
        """One table of `table_names`."""

    @abstractmethod
    def read_figure(self, name: str) -> Figure:
        """One figure of `figure_names`."""

    def numbers(self) -> pd.DataFrame:
        """Every number, one line for each variant that has it.

        Returns:
            Columns: `name` (such as `quality/purity`; `quality/purity_lead` is the network's lead over the
            control), `variant` (`network`, a control, `raw_inputs`), `value`, `low` and `high` (NaN where
            there is no range), `chance` (NaN where it is not known), `range_is` (`interval`, `stability` or
            `draws`), `interval` and `chance_is` (what the two are, in words), `unit`, and `headline`.
            Of several draws of a control, `value` is the mean and the range their least and greatest.
        """
        import pandas as pd

        headlines, controls = set(self.headlines()), self.controls()
        lines = []
        for logged, number in self.numbers_by_name().items():
            name, variant = name_and_variant(logged, controls)
            read = {column: getattr(number, column) for column in _COLUMNS}
            lines.append({"name": name, "variant": variant, **read, "headline": name in headlines})
        table = pd.DataFrame(lines, columns=["name", "variant", *_COLUMNS, "headline"])
        return table.astype(dict.fromkeys(("value", "low", "high", "chance"), "float64"))

    def redraw(self, name: str) -> MatplotlibFigure:
        """One figure drawn anew as a matplotlib figure, of which `.savefig("a.pdf")` makes a vector figure.

        Raises:
            UsageError: there is no such figure, or it is put together of pictures and is no drawing.
            StoreError: the store no longer has what it is drawn from.
        """
        check_name(name, self.figure_names(), "figure")
        figure = redrawn(
            name,
            stored=self.stored,
            analyses=self.analyses,
            scores=self.scores,
            controls=self.control_kinds,
            history=lambda: self.table("training"),
        )
        if figure is None:
            raise UsageError(
                f"the figure '{name}' cannot be drawn anew",
                hint=f"figure('{name}').png has it as it was drawn in the run",
            )
        return figure

    def paper_table(self, names: Sequence[str] | None = None, *, digits: int = 2) -> pd.DataFrame:
        """Numbers as a paper prints them: value and range, the network beside each control.

        Args:
            names: of the numbers, such as `quality/purity`; the headlines if not given.
            digits: behind the point, of all but counts.

        Returns:
            A line a number and a column a variant, texts such as `0.95 [0.91, 0.97]`. Its `attrs["notes"]`
            say what the ranges are. `.to_csv()` and `.to_latex()` write it; `latex` adds the notes.

        Raises:
            UsageError: the run has no number of one of these names.
        """
        numbers = self.numbers()
        known = list(dict.fromkeys(numbers["name"]))
        if names is None:
            names = [name for name in self.headlines() if name in known]
        for name in names:
            check_name(name, known, "number")
        return paper_table(numbers, names, digits=digits)

    def people(self, of: str | None = None) -> People:
        """What people have said of the clusters: their labels, tally and agreement; of blind sheets, too.

        Args:
            of: name of the analysis; may be left out where only one gives clusters, or only one has labels.

        Raises:
            UsageError: there is no such analysis, or several are meant.
            StoreError: the store no longer has the clusters.
        """
        from polylens.study.people.gathering import people_of

        return people_of(self, of)

    def latex(self, names: Sequence[str] | None = None, *, digits: int = 2) -> str:
        """`paper_table` as a LaTeX table (booktabs), what its ranges are in the caption."""
        return latex_of(self.paper_table(names, digits=digits))

    def table(self, name: str) -> pd.DataFrame:
        """One table, such as `clusters.sizes`; `table_names` has all names.

        Raises:
            UsageError: there is no such table; names the nearest.
        """
        check_name(name, self.table_names(), "table")
        return self.read_table(name)

    def figure(self, name: str) -> Figure:
        """One figure, such as `quality-scores`: `.png` (bytes), `.title`, `.caption`; a notebook shows it.

        Raises:
            UsageError: there is no such figure; names the nearest.
        """
        check_name(name, self.figure_names(), "figure")
        return self.read_figure(name)


def name_and_variant(logged: str, controls: Sequence[str]) -> tuple[str, str]:
    """The number's name and its variant, of the name it is logged by.

    >>> name_and_variant("quality/purity.random_init", ["random_init"]), name_and_variant("rows", [])
    (('quality/purity', 'random_init'), ('rows', 'network'))
    """
    name, _, variant = logged.rpartition(".")
    return (name, variant) if name and variant in controls else (logged, NETWORK)


def check_name(name: str, known: Sequence[str], what: str) -> None:
    """Refuses a name that a run does not have.

    Raises:
        UsageError: names the nearest, or else all.
    """
    if name not in known:
        near = nearest(name, list(known))
        hint = f"did you mean '{near}'?" if near else f"known: {listed(known) or 'none'}"
        raise UsageError(f"the run has no {what} '{name}'", hint=hint)
