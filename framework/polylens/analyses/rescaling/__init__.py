"""Does scaling the residual stream change codes, and is that the work of norms and biases?"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from polylens.analyses import Outcomes, Probe, Probed
from polylens.plugin import OnceEach
from polylens.records import Figure, Findings, Rows
from polylens.work import Work

Factor = Annotated[float, Field(gt=0)]


class Rescaling(Probe):
    """Scales a layer's whole tensor, and counts the later units that flip, with and without norms and biases.

    A network without biases and norms is homogeneous: scaling by a positive number scales all that follows,
    and flips nothing, exactly. So flips are owed to biases, to norms, and to what is no homogeneous function
    (a softmax, a GELU). Each is set apart: the network as it is; its norms held at the scale that the row has
    unscaled, which makes them linear (they are never removed); both again with every bias at zero, where
    unscaled and scaled rows are of the network without biases. Beside each, the layer is moved as far in a
    random direction (of tokens: each token's vector is). What is counted is the row's own token, or all units
    where a row is a whole example.

    Source: questions that the authors of Black et al. (2022) asked later; no numbers are published.
    """

    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = (
        "flipped_share.live.with_biases",
        "flipped_share.live.without_biases",
    )
    answer: ClassVar[tuple[str, ...]] = ("flipped_share.live.with_biases",)
    numbers: ClassVar[tuple[str, ...]] = (
        "flipped_share.*",
        "displaced_flipped_share.*",
        "most_flipped_bits.*",
    )

    factors: OnceEach[Factor] = Field(default=(0.1, 0.5, 0.9, 1.1, 2.0, 10.0), min_length=1)
    """What the layer's tensor is multiplied by; above 0."""
    draws: int = Field(default=2, ge=1)
    """Random displacements of each row and factor."""
    rows: int = Field(default=300, ge=2)
    """Rows of which the layer is scaled, drawn at random where there are more."""
    at: Annotated[str, Field(pattern="^(everywhere|position)$")] = "everywhere"
    """`everywhere` scales the layer's tensor of the whole example; `position` the row's own position."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples for intervals."""

    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """Means over rows by factor and case, with intervals over examples."""
        from polylens.analyses.rescaling.findings import rescaling_findings

        return rescaling_findings(self, rows, probed, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Curves over the factor, one panel a case, and flips by layer."""
        from polylens.analyses.rescaling.pictures import rescaling_pictures

        return rescaling_pictures(outcomes, subject=subject)
