"""Analyses: stored rows in, findings out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, Self

from polylens.plugin import Plugin
from polylens.progress import Progress
from polylens.records import Figure, Findings, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np

Need = Literal["activations", "codes"]
"""Parts of `Rows` an analysis can ask for; only what some analysis needs is captured."""

NETWORK = "network"
"""Name of the variant that is the spec's own network, beside its controls."""
RAW_INPUTS = "raw_inputs"
"""Name of the variant whose rows are the inputs themselves: the layer-independent baseline."""
GROUNDWORK = "(groundwork)"
"""Key of the groundwork's findings in `upstream`; no analysis of a spec can be called like this."""


@dataclass(frozen=True)
class Outcome:
    """One analysis of one network: what went in and what came out."""

    rows: Rows
    findings: Findings
    upstream: Mapping[str, Findings]
    """Findings of the siblings it stands on, by name, and of its groundwork under `GROUNDWORK`."""


Outcomes = Mapping[str, tuple[Outcome, ...]]
"""Outcomes by variant: `network` (one), each control (one a draw), `raw_inputs` (one, where it applies)."""


class Keeper(Protocol):
    """Keeps arrays until the analysis is finished, so that it goes on where it was interrupted."""

    def part(self, name: str) -> Keeper:
        """The same for one part of the work, which has names of its own."""

    def load(self, name: str) -> Mapping[str, np.ndarray] | None:
        """What was kept under the name; None where nothing whole is."""

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keeps arrays under a name, all or none of them."""


class Analysis(Plugin):
    """An analysis that a spec can name. Pure: the same rows and seed give the same findings."""

    family: ClassVar[str] = "analyses"
    headline: ClassVar[tuple[str, ...]] = ()
    """The numbers of a summary in the terminal."""
    answer: ClassVar[tuple[str, ...]] = ()
    """The few numbers that answer the spec's question in one sentence; empty where they answer none."""
    gives_partition: ClassVar[bool] = False
    """Whether the findings carry a partition, which labels and other analyses can stand on."""
    stands_on_partitions: ClassVar[bool] = True
    """Whether every analysis named by `upstream` must give a partition."""

    @abstractmethod
    def needs(self) -> frozenset[Need]:
        """Which parts of the rows the analysis reads."""

    def upstream(self) -> tuple[str, ...]:
        """Names of the sibling analyses it stands on (its `of`)."""
        return ()

    def why_no_code(self, *, is_graded: bool) -> str | None:
        """Why it cannot take the spec's code, as bits or graded; None where it can."""
        return None

    def groundwork(self) -> Analysis | None:
        """An analysis of the same rows whose findings this one stands on, beside the siblings it names.

        It becomes a stage of its own, named by what it is and not by who asks: all analyses, sweeps and later
        runs that ask for the same share one. So what is costly is kept apart from fields that only read it.
        """
        return None

    @abstractmethod
    def run(
        self,
        rows: Rows,
        *,
        streams: Streams,
        upstream: Mapping[str, Findings],
        progress: Progress,
        keeper: Keeper | None = None,
    ) -> Findings:
        """What the rows show.

        Args:
            rows: with the parts that `needs` names.
            streams: all randomness; name each draw.
            upstream: findings of the siblings named by `upstream`, by name, and of the groundwork under
                `GROUNDWORK`, where it asks for one.
            progress: where long work shows itself.
            keeper: where finished parts of long work outlive an interrupt.

        Raises:
            DataError: the rows cannot be analysed like this (too few, no classes); says what to change.
        """

    def on_inputs(self) -> Self | None:
        """The same analysis for rows whose activations are raw inputs; None where it has no meaning there."""
        return None

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Pictures of the findings, the network beside its controls.

        Args:
            outcomes: by variant.
            subject: the sentence every caption ends with: model, layer, rows, polytope or proxy.
        """
        return ()
