"""Pictures of cluster quality. Not a kind."""

from __future__ import annotations

from collections.abc import Sequence

from polylens.analyses import NETWORK, Outcomes
from polylens.records import Figure, Findings


def quality_pictures(
    outcomes: Outcomes, *, of: str, shown: Sequence[str], subject: str
) -> tuple[Figure, ...]:
    """Scores beside controls, purity against coverage, and the clusters by class."""
    from polylens.figures import clusters_by_class, purity_coverage, scores

    own = outcomes[NETWORK][0]
    panels = {
        name: {
            variant: [each.findings.numbers[name] for each in draws if name in each.findings.numbers]
            for variant, draws in outcomes.items()
        }
        for name in shown
    }
    curves = {variant: _mean_curve([each.findings for each in draws]) for variant, draws in outcomes.items()}
    figures = [
        Figure(
            name="scores",
            title="Scores beside controls",
            caption=(
                "Dots: the network and each draw of each control. Lines: 5 to 95 % of clusterings of "
                f"80 % of the examples. Ticks: classes shuffled over examples. {subject}"
            ),
            png=scores(panels),
            alt="One panel a score; the network's dot beside those of the controls and the raw inputs.",
        ),
    ]
    if any(curves.values()):
        figures.append(
            Figure(
                name="purity-coverage",
                title="Purity against coverage",
                caption=f"One point a min_cluster_size; controls with several draws by their mean. {subject}",
                png=purity_coverage({variant: curve for variant, curve in curves.items() if curve}),
                alt="Purity of clustered rows against the share of rows clustered, one line a variant.",
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


def _mean_curve(draws: list[Findings]) -> list[tuple[int, float, float]]:
    """(min_cluster_size, coverage, purity), averaged over the draws in which something was clustered."""
    import pandas as pd

    lines = pd.concat([findings.tables["curve"] for findings in draws]).dropna(subset=["purity"])
    means = lines.groupby("min_cluster_size")[["coverage", "purity"]].mean()
    return [
        (int(str(size)), float(line["coverage"]), float(line["purity"])) for size, line in means.iterrows()
    ]
