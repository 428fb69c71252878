"""Do codes agree between layers, seeds and checkpoints?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.analyses import Need, Outcomes, Probe, Probed
from polylens.plugin import OnceEach
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class CodeAgreement(Probe):
    """Which rows are near each other by their codes, compared between layers and between networks.

    Units of two layers or of two networks have nothing to do with each other one by one, so the structure is
    compared: the rank correlation of the distances of the same pairs of rows, and how many of a row's nearest
    rows are the same. Between layers: the spec's code against the codes of the own units of `layers`, in
    each network. Between networks: each control against the spec's own network, by the spec's code: list
    `second_seed`, checkpoints (`kind: checkpoint`) and `random_init` among the controls. What two networks
    share may be no more than what they look at, or than the classes: with images, agreement beyond the
    distance of the inputs stands beside, and where rows have classes, that on pairs of one class alone. As
    a reference each code is split into two random halves of its units, which says how well two codes of half
    the units agree where nothing else differs. Agreement of clusters is `partition_agreement`'s.

    Source: Kriegeskorte, Mur and Bandettini 2008, representational similarity analysis; Huh et al. 2024
        (arXiv 2405.07987), mutual k-nearest neighbours. The polytope paper reports nothing on agreement.
    """

    compares: ClassVar[bool] = True
    headline: ClassVar[tuple[str, ...]] = ("correlation", "correlation_beyond_inputs", "overlap")
    answer: ClassVar[tuple[str, ...]] = ("correlation", "correlation_beyond_inputs")
    numbers: ClassVar[tuple[str, ...]] = (
        "correlation",
        "correlation.*",
        "overlap",
        "overlap.*",
        "correlation_beyond_inputs",
        "correlation_with_inputs",
        "correlation_within_classes",
        "halves_correlation",
        "halves_overlap",
    )

    layers: OnceEach[str] = ()
    """Further layers whose own units' codes are compared with the spec's code and with each other."""
    pairs: int = Field(default=10_000, ge=10)
    """Pairs of rows of different examples whose distances are compared."""
    rows: int = Field(default=500, ge=20)
    """About how many rows have their nearest ones compared, in whole examples."""
    neighbours: int = Field(default=10, ge=1)
    """How many nearest rows are compared, of other examples."""
    permutations: int = Field(default=50, ge=20)
    """Permutations of the examples for chance levels."""
    resamples: int = Field(default=100, ge=20)
    """Resamples of the examples for intervals."""

    def needs(self) -> frozenset[Need]:
        """Codes."""
        return frozenset({"codes"})

    def why_no_code(self, *, is_graded: bool) -> str | None:
        """Graded codes have no bits to count."""
        return "it needs the bits of a hard code (kind: sign), and the code is graded" if is_graded else None

    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """Agreement between the layers of this network, and of it with the spec's own one."""
        from polylens.analyses.code_agreement.findings import code_agreement_findings

        return code_agreement_findings(self, rows, probed, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Agreement with the spec's own network, and between layers, beside controls."""
        from polylens.analyses.code_agreement.pictures import agreement_pictures

        return agreement_pictures(outcomes, subject=subject)
