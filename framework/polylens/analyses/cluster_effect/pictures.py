"""Pictures of what clusters do."""

from __future__ import annotations

import numpy as np

from polylens.analyses import NETWORK, Outcomes
from polylens.figures import cluster_outputs, family_scores
from polylens.records import Figure, Number

_MOST_CLUSTERS = 24
_WORDS = {
    "": "own cluster",
    ".nearest_cluster": "nearest other",
    ".random_rows": "random rows",
    ".all_rows": "all rows",
}
_MEASURES = {
    "kept_predictions": "predictions kept",
    "kl_divergence": "divergence of predictions",
    "output_angle": "angle of outputs",
}


def effect_pictures(outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
    """What is kept beside baselines and controls, and the network's clusters by their mean logits."""
    panels: dict[str, dict[str, dict[str, list[Number]]]] = {}
    for measure, word in _MEASURES.items():
        for ending, words in _WORDS.items():
            by = {
                variant: [
                    draw.findings.numbers[measure + ending]
                    for draw in draws
                    if measure + ending in draw.findings.numbers
                ]
                for variant, draws in outcomes.items()
            }
            if any(by.values()):
                panels.setdefault(word, {})[words] = by
    own = outcomes[NETWORK][0].findings
    figures = [
        Figure(
            name="cluster-effect",
            title="What is left of a member where a mean is put in its place",
            caption=(
                "Of members whose place a mean takes: the share whose prediction stays, and the divergence "
                "(Kullback-Leibler) of predictions or the angle of outputs. Clusters count by size. "
                f"{' '.join(own.notes)} {subject}"
            ),
            png=family_scores(
                panels,
                title="What is left of a member where a mean is put in its place",
                note="Bands say whose mean it is; no mean holds a row of the member's own example.",
            ),
            alt="A panel for each set of rows whose mean is put in place, the network beside controls.",
        )
    ]
    if "logits" in own.tables:
        table, clusters = own.tables["logits"], own.tables["clusters"]
        shown = clusters[:_MOST_CLUSTERS]
        table = table[table["cluster"] < len(shown)]
        by_output = table["output"].nunique() == table["rank"].nunique()
        columns = "output" if by_output else "rank"
        values = table.pivot_table(index="cluster", columns=columns, values="above_all_clusters")
        names = table.pivot_table(index="cluster", columns=columns, values="name", aggfunc="first")
        figures.append(
            Figure(
                name="cluster-logits",
                title="Mean logits of the clusters",
                caption=f"Above the mean over all clusters; the largest {len(shown)} clusters. {subject}",
                png=cluster_outputs(
                    values.to_numpy(dtype=np.float64),
                    texts=None if by_output else names.to_numpy(dtype=object).tolist(),
                    clusters=[f"{line.cluster} ({line.size:,} rows)" for line in shown.itertuples()],
                    columns=names.iloc[0].tolist()
                    if by_output
                    else [f"{rank + 1}." for rank in range(names.shape[1])],
                ),
                alt="Clusters by outputs: how far their mean logits are above those of all clusters.",
            )
        )
    return tuple(figures)
