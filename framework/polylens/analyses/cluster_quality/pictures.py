"""Pictures of cluster quality."""

from __future__ import annotations

from collections.abc import Sequence

from polylens.analyses import NETWORK, Outcome, Outcomes
from polylens.analyses._pictures import number_panels
from polylens.figures import clusters_by_class, purity_coverage
from polylens.records import Figure, Findings


def quality_pictures(
    outcomes: Outcomes, *, of: str, shown: Sequence[str], subject: str
) -> tuple[Figure, ...]:
    """Scores beside controls, purity against coverage, and the clusters by class."""
    own = outcomes[NETWORK][0]
    curves = {variant: [_curve(each.findings) for each in draws] for variant, draws in outcomes.items()}
    drawn = {variant: [curve for curve in draws if curve] for variant, draws in curves.items()}
    figures = [
        number_panels(
            outcomes,
            {name: name for name in shown},
            title="Scores beside controls",
            caption=(
                "Dots: the network and each draw of each control. Broken lines: stability, 5 to 95 % of "
                f"clusterings of 80 % of the examples. Ticks: {_exchanged(own)}. {subject}"
            ),
            alt="One panel a score; the network's dot beside those of the controls and the raw inputs.",
        ),
    ]
    if any(drawn.values()):
        figures.append(
            Figure(
                name="purity-coverage",
                title="Purity against coverage",
                caption=f"One point a min_cluster_size, one line a draw that has clusters. {subject}",
                png=purity_coverage({variant: draws for variant, draws in drawn.items() if draws}),
                alt="Purity of clustered rows against the share of rows clustered, lines of each variant.",
            )
        )
    partition = own.upstream[of].partition
    if partition is not None and own.rows.targets is not None:
        figures.append(
            Figure(
                name="clusters-by-class",
                title="Clusters by class",
                caption=f"Rows of each class in each cluster and in noise. {partition.method}. {subject}",
                png=clusters_by_class(partition.labels, targets=own.rows.targets, classes=own.rows.classes),
                alt="A table of counts: one line a cluster, one column a class.",
            )
        )
    return tuple(figures)


def _exchanged(own: Outcome) -> str:
    """What chance is made of."""
    if own.rows.by_row:
        return "classes of whole examples laid over other rows"
    return "classes shuffled over examples"


def _curve(findings: Findings) -> list[tuple[int, float, float]]:
    """(min_cluster_size, coverage, purity) where something was clustered."""
    lines = findings.tables["curve"].dropna(subset=["purity"])
    columns = (lines[name] for name in ("min_cluster_size", "coverage", "purity"))
    return [
        (int(size), float(coverage), float(purity)) for size, coverage, purity in zip(*columns, strict=True)
    ]
