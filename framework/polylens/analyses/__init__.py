"""Analyses: stored rows in, findings out; some look into the network as well."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from polylens.plugin import RowReader
from polylens.records import Comparison, Examples, Figure, Findings, Grouping, Network, Number, Rows
from polylens.streams import Streams
from polylens.work import Work

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


def by_variant(outcomes: Outcomes, name: str) -> dict[str, list[Number | None]]:
    """One number of each draw of each variant; None where a draw has none, nothing where all lack it."""
    numbers_of = {
        variant: [each.findings.numbers.get(name) for each in draws] for variant, draws in outcomes.items()
    }
    return {
        variant: numbers if any(number is not None for number in numbers) else []
        for variant, numbers in numbers_of.items()
    }


class Analysis(RowReader):
    """An analysis that a spec can name. Pure: the same rows, network and seed give the same findings.

    A kind derives from `RowAnalysis`, or from `Probe` where stored rows are not enough.
    """

    family: ClassVar[str] = "analyses"
    headline: ClassVar[tuple[str, ...]] = ()
    """The numbers of a summary in the terminal."""
    answer: ClassVar[tuple[str, ...]] = ()
    """The few numbers that answer the spec's question in one sentence; empty where they answer none."""
    numbers: ClassVar[tuple[str, ...]] = ()
    """All numbers it can give, `*` standing for any text (`matched_ratio.*`); empty where it does not say."""
    compared: ClassVar[tuple[str, ...]] = ()
    """The numbers that `compare` sets beside a control's on equal terms; empty where it compares none."""
    gives_partition: ClassVar[bool] = False
    """Whether the findings carry a partition, which labels and other analyses can stand on."""
    gives_groupings: ClassVar[bool] = False
    """Whether it gives row sets to be set beside the clusters of the analysis that it stands on."""
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

    def named_layers(self) -> tuple[str, ...]:
        """Layers that its fields `through` and `layers` name; a spec is checked for them."""
        through, layers = getattr(self, "through", "output"), getattr(self, "layers", ())
        return (*(() if through == "output" else (through,)), *layers)

    def groundwork(self) -> Analysis | None:
        """An analysis of the same rows whose findings this one stands on, beside the siblings it names.

        It becomes a stage of its own, named by what it is and not by who asks: all analyses, sweeps and later
        runs that ask for the same share one. So what is costly is kept apart from fields that only read it.
        """
        return None

    def on_inputs(self) -> Self | None:
        """This analysis with the fields that fit raw inputs, which stand in place of the activations.

        None where it has no meaning there.
        """
        return None

    def rehearse(self) -> None:
        """Compiles what `run` calls, on a few rows; called ahead, by another process.

        What is compiled there is kept on disk. Nothing hangs on it, and most analyses compile nothing.
        """

    def groupings(self, findings: Findings) -> Mapping[str, Grouping]:
        """Row sets by family, as many as clusters and as large; none where it gives none or found none.

        Args:
            findings: what `run` found.
        """
        return {}

    def compare(
        self, own: Outcome, draws: Sequence[Outcome], *, streams: Streams
    ) -> Mapping[str, Comparison]:
        """The network beside one control, for numbers that mean little side by side as they stand.

        Args:
            own: of the spec's own network.
            draws: of every draw of the control.
            streams: all randomness; name each draw.

        Returns:
            By the name of the number: each of `compared`.
        """
        return {}

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Pictures of the findings, the network beside its controls.

        Args:
            outcomes: by variant.
            subject: the sentence every caption ends with: model, layer, rows, polytope or proxy.
        """
        return ()


WORTH_SHARING = 20_000
"""Rows from which on comparing all pairs takes longer than starting further processes."""


class RowAnalysis(Analysis):
    """An analysis of stored rows alone."""

    def compares_pairs(self, n_rows: int) -> bool:
        """Whether its time is that of comparing so many rows with each other, which processes can share.

        `run` is then called with the same rows in every process of a `torch.distributed` group, and gives the
        same findings in each.
        """
        return False

    def guess_pair_seconds(self, n_rows: int, *, width: int, code_bits: int) -> float | None:
        """A rough number of seconds that comparing so many rows takes on this machine, from a trial.

        None where that is little, or not known.

        Args:
            n_rows: how many rows there will be.
            width: of their activations.
            code_bits: of their codes; 0 where there are none, or graded ones.
        """
        return None

    @abstractmethod
    def run(self, rows: Rows, work: Work) -> Findings:
        """What the rows show.

        Args:
            rows: with the parts that `needs` names.
            work: randomness, what it stands on, progress, and what is kept.

        Raises:
            DataError: the rows cannot be analysed like this (too few, no classes); says what to change.
        """


@dataclass(frozen=True)
class Probed:
    """The network that a probe looks into."""

    network: Network
    """On the device to compute on, in single precision."""
    examples: Examples
    """All of the dataset; `Origins.example` of the rows says which each row is of."""
    layer: str
    """Path of the layer's module in the network, or `input`."""
    own: Rows | None = None
    """Rows of the spec's own network, where this one is a control and the probe compares the two."""


@dataclass(frozen=True)
class Walks:
    """Straight lines that are walked from boundary to boundary, from the layer to a later one."""

    segments: float
    """How many, each as long as from one example to another; of planes, those that bound them."""
    through: str
    outputs: bool
    """Whether what the network gives at `through` is needed along them, or the boundaries alone."""


class Probe(Analysis):
    """An analysis that runs the network itself: along paths, from changed activations, around points."""

    compares: ClassVar[bool] = False
    """Whether it reads the rows of the spec's own network as well when it looks into a control."""

    def needs(self) -> frozenset[Need]:
        """Activations: they are the points it starts from."""
        return frozenset({"activations"})

    def walks(self, n_rows: int) -> Walks | None:
        """What it walks exactly with so many rows, for an estimate of its time; None where that is little."""
        return None

    @abstractmethod
    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """What the network shows.

        Args:
            rows: of the network and the layer, with the parts that `needs` names.
            probed: the network, which is left as it was.
            work: randomness, what it stands on, progress, and what is kept.

        Raises:
            DataError: the rows cannot be probed like this (positions where whole examples are needed, no
                classes); says what to change.
        """
