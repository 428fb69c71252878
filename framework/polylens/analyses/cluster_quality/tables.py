"""Tables of cluster quality."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from polylens.records import Number, Partition, Rows, count_clusters
from polylens.statistics import ClassNull, cluster_classes, coverage, information_agreement, p_value, purity


def cluster_purities(rows: Rows, partition: Partition, null: ClassNull) -> pd.DataFrame:
    """One line a cluster: its size, its majority class, how pure it is, and what chance gives."""
    targets = np.asarray(rows.targets)
    held = cluster_classes(partition.labels, targets, n_classes=len(rows.classes) or None)
    names = rows.classes or tuple(str(index) for index in range(int(targets.max(initial=0)) + 1))
    base = np.bincount(targets, minlength=len(names)) / max(len(targets), 1)
    return pd.DataFrame(
        {
            "cluster": np.arange(len(held.sizes)),
            "size": held.sizes,
            "majority_class": [names[index] for index in held.majority],
            "purity": held.purity,
            "class_share_of_rows": base[held.majority],
            "entropy_bits": held.entropy,
            "chance_purity": null.cluster_purity.mean(0),
            "chance_purity_high": np.quantile(null.cluster_purity, 0.95, axis=0),
            "family_wise_p_value": np.array(
                [p_value(value, null.best_cluster_purity) for value in held.purity], dtype=np.float64
            ),
        }
    )


def quality_curve(rows: Rows, partition: Partition) -> pd.DataFrame:
    """The scores at each min_cluster_size."""
    targets = np.asarray(rows.targets)
    lines = []
    for item in partition.alternatives:
        if item.name == "min_cluster_size":
            own = targets[item.rows]
            pure = purity(item.labels, own)
            information = information_agreement(item.labels, own)
            count = count_clusters(item.labels)
            lines.append(
                (item.value, count, coverage(item.labels), np.nan if pure is None else pure, information)
            )
    columns = ["min_cluster_size", "clusters", "coverage", "purity", "adjusted_mutual_information"]
    return pd.DataFrame(lines, columns=columns)


def chance_table(numbers: Mapping[str, Number], null: ClassNull) -> pd.DataFrame:
    """Each score beside its whole null."""
    nulls = {
        "purity": null.purity,
        "adjusted_mutual_information": null.information,
        "best_cluster_purity": null.best_cluster_purity,
    }
    lines = [
        (
            name,
            numbers[name].value,
            float(values.mean()),
            float(np.quantile(values, 0.95)),
            p_value(numbers[name].value, values),
        )
        for name, values in nulls.items()
        if name in numbers
    ]
    return pd.DataFrame(lines, columns=["number", "value", "chance_mean", "chance_95", "p_value"])
