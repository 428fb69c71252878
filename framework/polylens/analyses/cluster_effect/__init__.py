"""What does a cluster do: which outputs go with it, and does its mean stand for its members?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.analyses import Outcomes, Probe, Probed
from polylens.errors import DataError, listed
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


class ClusterEffect(Probe):
    """Mean logits of each cluster's members, and what is left of a member's output at the cluster's mean.

    A cluster that the rest of the network treats as one thing loses little where each member is replaced by
    the mean of the others: its prediction stays. Beside that mean stand those of a random set of as many rows
    (clusters shuffled over examples: the chance level), of the nearest other cluster, and of all rows. No
    mean holds a row of the member's own example. `abstractions` groups classes (digits by parity), and
    says at which level a cluster is one thing. Where the output is no logits (an encoder), the angle
    between outputs takes the place of predictions.

    Source: an author's later remark that the effect of a polytope cluster on the output would say more than
        its top examples; no numbers are published.
    Departs: beside baselines of equal size, with intervals over examples and with controls.
    """

    version: ClassVar[int] = 3
    headline: ClassVar[tuple[str, ...]] = (
        "kept_predictions",
        "kept_predictions.nearest_cluster",
        "kept_predictions.all_rows",
        "output_angle",
    )
    answer: ClassVar[tuple[str, ...]] = ("kept_predictions", "output_angle")
    numbers: ClassVar[tuple[str, ...]] = (
        "kept_predictions",
        "kept_predictions.*",
        "kl_divergence",
        "kl_divergence.*",
        "js_divergence",
        "js_divergence.*",
        "output_angle",
        "output_angle.*",
        "kept_*",
        "purity.*",
    )

    of: str
    """Name of the analysis whose clusters are put in place of their members."""
    clusters: int = Field(default=40, ge=1)
    """Clusters that are looked at, the largest first."""
    members: int = Field(default=40, ge=2)
    """Members of each that are replaced, drawn at random where there are more; clusters count by size."""
    draws: int = Field(default=3, ge=1)
    """Shuffles of the clusters over examples, for random sets of as many rows."""
    top: int = Field(default=5, ge=1)
    """Outputs with the highest mean logits, above all clusters' mean, that are named for each cluster."""
    abstractions: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Coarser levels of the classes, such as `parity: {"0": even, "1": odd}`; every class has a group."""
    resamples: int = Field(default=200, ge=20)
    """Resamples of the examples for intervals, and shuffles of classes for the chance level of purities."""

    def upstream(self) -> tuple[str, ...]:
        """The analysis whose clusters are looked at."""
        return (self.of,)

    def probe(self, rows: Rows, probed: Probed, work: Work) -> Findings:
        """Shares and divergences by replacement, with intervals over examples; logits by cluster."""
        from polylens.analyses._changes.interventions import Intervention
        from polylens.analyses.cluster_effect.effects import effect_findings, replace_members

        partition = work.upstream[self.of].clusters(self.of)
        if rows.activations is None:
            raise DataError("cluster_effect needs activations: means of them are put in place of rows")
        self._check_levels(rows)
        if not partition.n_clusters:
            # A control may well have none: that is a finding, and no mistake of the spec.
            return Findings(notes=("No cluster was found: there are no members to replace.",))
        intervention = Intervention(probed, rows, reads_units=False)
        clusters = range(min(self.clusters, partition.n_clusters))
        with work.progress.task("replacing members", total=len(clusters), unit="clusters") as task:
            effects = replace_members(
                intervention,
                rows,
                partition,
                clusters=clusters,
                members=self.members,
                draws=self.draws,
                streams=work.streams,
                advance=task.advance,
            )
        return effect_findings(
            effects,
            rows,
            partition,
            intervention=intervention,
            levels=self.abstractions,
            top=self.top,
            resamples=self.resamples,
            streams=work.streams,
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """What is kept beside baselines and controls, and the clusters by their mean logits."""
        from polylens.analyses.cluster_effect.pictures import effect_pictures

        return effect_pictures(outcomes, subject=subject)

    def _check_levels(self, rows: Rows) -> None:
        for level, groups in self.abstractions.items():
            missing = [name for name in rows.classes if name not in groups]
            if missing or not rows.classes:
                what = f"no group for {listed(tuple(missing))}" if missing else "nothing to group: no classes"
                raise DataError(
                    f"'abstractions.{level}' has {what}",
                    hint="name a group for each of the dataset's classes",
                )
