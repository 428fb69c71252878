"""What a report is made of. Plain records; `render` makes the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polylens.records import ClusterLabel, Comparison, Draws, Figure, Number, Shown, Skipped, Verdict


@dataclass(frozen=True)
class Score:
    """One metric: the network's number, and each control's beside it."""

    name: str
    """Name of the number in MLflow, such as `purity`."""
    value: Number | None
    """The network's, with its range and its level under chance; None where it is not defined."""
    controls: Mapping[str, Draws] = field(default_factory=dict)
    """By control (and `raw_inputs`), draw by draw."""
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    """By control: the network beside it on equal terms, where this number is compared so."""
    headline: bool = False
    """Whether the number belongs to the answer at the top."""

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers, as counts are."""
        values = [value for draws in self.controls.values() for value in draws.known]
        own = [] if self.value is None else [self.value.value]
        return all(float(value).is_integer() for value in (*own, *values))


@dataclass(frozen=True)
class ScoreTable:
    """The scores of one analysis."""

    title: str
    rows: tuple[Score, ...]
    note: str = ""
    """What was done, in a sentence."""


@dataclass(frozen=True)
class ClusterCard:
    """One cluster as people see it."""

    number: int
    size: int
    """Rows."""
    label: ClusterLabel | None = None
    """None where the clusters are not labelled."""
    central: tuple[Shown, ...] = ()
    """Its medoid and the rows nearest to it."""
    random: tuple[Shown, ...] = ()
    """Members drawn at random."""


@dataclass(frozen=True)
class ClusterCards:
    """One partition's clusters, and some of its noise."""

    title: str
    clusters: tuple[ClusterCard, ...]
    about: str = ""
    """How the clusters and their labels came about, and what the numbers on the cards are."""
    noise: tuple[Shown, ...] = ()
    """Rows drawn at random from those in no cluster."""
    noise_size: int = 0
    """Rows in no cluster."""


@dataclass(frozen=True)
class Report:
    """One run, to be read by a person."""

    title: str
    failure: str = ""
    """Why the run failed and what is missing; empty where it came to its end."""
    about: str = ""
    claim: str = ""
    """What is tested, and what would refute it."""
    verdict: Verdict | None = None
    """What the numbers say of the claim; None where the spec has no rule that decides."""
    subject: str = ""
    """One sentence: model, layer, rows, polytope or proxy and why."""
    facts: tuple[tuple[str, str], ...] = ()
    """Names and values that place the run, such as the model's accuracy."""
    scores: tuple[ScoreTable, ...] = ()
    clusters: tuple[ClusterCards, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences a reader of the numbers must know."""
    skipped: tuple[Skipped, ...] = ()
    made: tuple[tuple[str, str], ...] = ()
    """When, by which version and by which command the page was written."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Digest of each stage by name."""
    spec: str = ""
    """The resolved spec as YAML."""
