"""What a report is made of. Plain records; `render` makes the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polylens.records import (
    NOISE,
    ClusterLabel,
    Comparison,
    Context,
    Draws,
    Figure,
    Number,
    Shown,
    Skipped,
    Verdict,
)
from polylens.wording import largest


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
    asked: bool = False
    """Whether the claim's rule compares it: then it comes first in the answer."""

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers, as counts are."""
        values = [value for draws in self.controls.values() for value in draws.known]
        own = [] if self.value is None else [self.value.value]
        return all(float(value).is_integer() for value in (*own, *values))

    @property
    def reach(self) -> float:
        """The size of the largest of its numbers, its range and chance level included: see `short`."""
        own = () if self.value is None else (self.value.reach, self.value.chance)
        return largest((*own, *(value for draws in self.controls.values() for value in draws.known)))


@dataclass(frozen=True)
class ScoreTable:
    """The scores of one analysis."""

    title: str
    rows: tuple[Score, ...]
    note: str = ""
    """What was done, in a sentence."""


@dataclass(frozen=True)
class Neighbour:
    """A cluster near to another one."""

    number: int
    distance: float
    """Between the two medoids, as `ClusterCards.distance_is` says."""


@dataclass(frozen=True)
class MedoidCode:
    """The code of a cluster's medoid."""

    levels: bytes
    """How far on each column of bits or units is, from 0 to 255, in the code's order."""
    in_words: str
    """How many bits are on, layer by layer."""


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
    persistence: float | None = None
    """How long it lasts over the heights, in [0, 1]; None where the method has no heights."""
    nearest: tuple[Neighbour, ...] = ()
    """The clusters whose medoids are nearest to its own, nearest first."""
    code: MedoidCode | None = None
    """None where the rows have no code."""
    people: tuple[tuple[str, str], ...] = ()
    """Who judged it, and with which verdict."""

    @property
    def scores(self) -> dict[str, float]:
        """What clusters are sorted and compared by, all but the size; empty where there is nothing.

        >>> ClusterCard(0, 5, persistence=0.25).scores
        {'persistence': 0.25}
        """
        of_label = {} if self.label is None else {"share": self.label.share, "lift": self.label.lift}
        adjusted = {} if self.label is None else {"p": self.label.p_value}
        lasting = {} if self.persistence is None else {"persistence": self.persistence}
        return of_label | adjusted | lasting


@dataclass(frozen=True)
class Piece:
    """A token of a text, with the cluster of its row."""

    text: str
    cluster: int | None
    """`NOISE` where its row is in no cluster; None where the token is no row."""
    gap: str = ""
    """The white space before it."""


@dataclass(frozen=True)
class ClusteredText:
    """One document, or a stretch of it, with the cluster of each token."""

    title: str
    """Which document."""
    pieces: tuple[Piece, ...]

    @property
    def clusters(self) -> tuple[int, ...]:
        """Numbers of the clusters that occur, rising, noise not counted.

        >>> ClusteredText("a", (Piece("b", 7), Piece("c", -1), Piece("d", None), Piece("e", 2))).clusters
        (2, 7)
        """
        numbers = {piece.cluster for piece in self.pieces if piece.cluster is not None}
        return tuple(sorted(numbers - {NOISE}))


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
    distance_is: str = ""
    """What distances of medoids are, such as `bits that differ`."""
    of_controls: Mapping[str, Mapping[str, tuple[float, ...]]] = field(default_factory=dict)
    """By score and control: the score of each cluster of all the control's draws."""
    text: ClusteredText | None = None
    """None where rows are no tokens."""


@dataclass(frozen=True)
class LabelSheet:
    """All labels of one partition's clusters side by side, a line a cluster."""

    title: str
    """Which clusters."""
    columns: tuple[str, ...]
    """Names of labels and of their scores."""
    lines: tuple[tuple[str | float | None, ...], ...]
    """The cluster's number, its rows, and a cell a column: a label, a score, or None where there is none."""
    said: frozenset[str] = frozenset()
    """The columns that hold words."""
    left_out: int = 0
    """Further clusters, which are in the table alone."""


@dataclass(frozen=True)
class PeopleTable:
    """Numbers of what people said: one line each, with the words that stand before the number."""

    title: str
    columns: tuple[str, ...]
    """Titles of the words and of the number."""
    lines: tuple[tuple[tuple[str, ...], Number | None], ...]
    """None where the number is not known, which the words say then."""


@dataclass(frozen=True)
class PeopleSaid:
    """What people said of one partition's clusters."""

    sentence: str
    tables: tuple[PeopleTable, ...]


@dataclass(frozen=True)
class PictureLine:
    """One group of pictures, for a person to judge."""

    id: str
    """As the sheet that is filled calls it."""
    about: str
    """What the person may know of it; empty where that is nothing."""
    shown: tuple[Context, ...]


@dataclass(frozen=True)
class PictureSheet:
    """The pictures of a sheet that a person fills."""

    title: str
    lines: tuple[PictureLine, ...]
    names: bool
    """Whether the names of pictures may be seen."""


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
    labels: tuple[LabelSheet, ...] = ()
    """Of analyses whose clusters have several labels, or scores of them."""
    people: tuple[PeopleSaid, ...] = ()
    """Of analyses whose clusters people have judged."""
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
