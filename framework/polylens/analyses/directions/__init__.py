"""Do directions mean one thing, and do clusters, with as many members?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal, Self

from pydantic import Field

from polylens.analyses import Need, Outcomes, RowAnalysis
from polylens.plugin import OnceEach
from polylens.records import Figure, Findings, Grouping, Rows
from polylens.work import Work

_TOKEN = "token"
"""Says that a row means the token it stands at, whatever classes it has."""


class Directions(RowAnalysis):
    """Neurons, PCA, NMF, ICA and sparse autoencoder features beside clusters of as many members each.

    Directions of a family and clusters are paired so that they share the most rows, and a direction gets as
    many members as its cluster: the rows furthest along it. A row that is among those of several directions
    is a member of the one whose edge it is farthest above. So number, sizes and coverage are the clusters',
    and purity can be compared: directions that each find one meaning are as pure as clusters that do, however
    rare the meanings are. Directions that mean the same have to share its rows out, and take what is left.
    So `top_purity` and `top_coverage` are those of the plain top rows, which directions may share, and
    `distinct_meanings` is how many different meanings are a group's most common. Directions are found, paired
    and filled on the same rows without their meaning.

    Does one direction pass through several meanings (E4)? A cluster's stretch of a direction is where the
    middle 80 % of its members lie along it. `overlap` is how many clusters' stretches a clustered row's
    place lies on, its own counted; `top_overlap` the same at the direction's top rows only. 1 is a
    direction that keeps clusters apart.

    Meaning is the class, and where rows have none the token they stand at, or what `targets` names.

    Source: Black et al. (2022), the polysemanticity of neurons and directions and the monosemanticity of
        clusters (E0, E1, E4), which the paper shows by examples; it gives no scores, and no counts.
    Controls: shuffled meanings; random directions, a family like the others; of the spec: other networks.
    Departs: sparse autoencoder features are not in the paper.
    """

    version: ClassVar[int] = 4
    gives_groupings: ClassVar[bool] = True
    later_fields: ClassVar[frozenset[str]] = frozenset({"targets"})
    headline: ClassVar[tuple[str, ...]] = ("purity.clusters", "least_purity_lead")
    answer: ClassVar[tuple[str, ...]] = ("least_purity_lead", "purity.clusters")
    numbers: ClassVar[tuple[str, ...]] = (
        "clusters",
        "compared_clusters",
        "coverage",
        "least_purity_lead",
        "purity.*",
        "purity_lead.*",
        "adjusted_mutual_information.*",
        "held_out_share.*",
        "median_lift.*",
        "top_purity.*",
        "top_coverage.*",
        "distinct_meanings.*",
        "overlap.*",
        "top_overlap.*",
    )

    of: str
    """Name of the analysis whose clusters directions are compared with."""
    targets: str = "class"
    """What rows mean. `class`: the class of their example, and where examples have none the token they stand
    at. `token`: the token. Any other name: one of the dataset's targets of rows, such as `coarse_tag` of
    tagged text."""
    families: OnceEach[Literal["neurons", "pca", "nmf", "ica", "sae"]] = Field(
        default=("neurons", "pca", "nmf", "ica"), min_length=1
    )
    """Which families; `sae`, a sparse autoencoder, needs the extra `sae`."""
    chosen: Literal["variance", "peak"] = "variance"
    """Which directions of a family are taken where it has more than there are clusters: those that add most
    variance to the rows, or those whose top rows stand out furthest from the rest in standard deviations."""
    most: int = Field(default=100, ge=1)
    """Most clusters compared, the largest first, and so most directions of a family."""
    fit_rows: int = Field(default=20_000, ge=2)
    """Most rows that directions are found on, drawn at random; all rows are then placed along them."""
    expansion: int = Field(default=4, ge=1)
    """Features of the sparse autoencoder for each unit of the layer."""
    active: int = Field(default=8, ge=1)
    """Features of the sparse autoencoder that a row may have."""
    steps: int = Field(default=1000, ge=1)
    """Training steps of the sparse autoencoder."""
    batch: int = Field(default=256, ge=1)
    """Rows of one training step."""
    rare: int = Field(default=5, ge=1)
    """Tokens at fewer rows than this count as one token where mutual information is measured."""
    permutations: int = Field(default=200, ge=20)
    """Shuffles of the meanings over examples, for chance levels."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples, for intervals of what is no share and for how far purities of two families
    err together; clusters and directions stay as they are."""

    def named_targets(self) -> str | None:
        """The dataset's targets that are meant; tokens are every text's own."""
        return None if self.targets == _TOKEN else super().named_targets()

    def asked(self) -> frozenset[str]:
        """Tokens, where these are what rows mean."""
        return frozenset({"tokens"}) if self.targets == _TOKEN else super().asked()

    def needs(self) -> frozenset[Need]:
        """Activations: directions are of their space."""
        return frozenset({"activations"})

    def upstream(self) -> tuple[str, ...]:
        """The analysis whose clusters are compared."""
        return (self.of,)

    def run(self, rows: Rows, work: Work) -> Findings:
        """Scores of clusters and of every family, and how many clusters lie on the same stretch."""
        from polylens.analyses.directions.findings import directions_findings

        return directions_findings(
            self,
            replace(rows, targets=None, classes=()) if self.targets == _TOKEN else rows,
            streams=work.streams,
            upstream=work.upstream,
            progress=work.progress,
            keeper=work.keeper,
        )

    def groupings(self, findings: Findings) -> Mapping[str, Grouping]:
        """The members of each family's directions; none where nothing was found to match."""
        from polylens.analyses.directions.tables import groupings_of

        return groupings_of(findings)

    def on_inputs(self) -> Self:
        """Clusters of raw inputs are compared with directions of raw inputs, where inputs are neurons."""
        return self

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Scores of the families beside the clusters', and clusters along the first direction of each."""
        from polylens.analyses.directions.pictures import direction_pictures

        return direction_pictures(outcomes, of=self.of, subject=subject)
