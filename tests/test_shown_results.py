"""Results show themselves: short in a terminal, as escaped tables in a notebook."""

from __future__ import annotations

import numpy as np

from polylens.records import ClusterLabel, Findings, Labels, Number, Origins, Partition, Rows
from polylens.study.outlook import ChildOutlook, Outlook
from polylens.study.waiting import StageOutlook


def test_a_partition_says_its_clusters_and_dumps_no_array() -> None:
    labels = np.array([0] * 6 + [1] * 3 + [-1])
    partition = Partition(labels, np.ones(10, np.float32), np.array([2, 7]), method="<HDBSCAN>")
    assert repr(partition) == "Partition(<HDBSCAN>: 2 clusters of 10 rows, coverage 0.90)"
    shown = partition._repr_html_()
    assert "<strong>&lt;HDBSCAN&gt;: 2 clusters of 10 rows" in shown
    assert "<tr><td>0</td><td>6</td><td>0.600</td><td>2</td><td>1.00</td></tr>" in shown
    many = Partition(np.arange(500), np.ones(500, np.float32), np.arange(500))
    assert "and 470 smaller clusters" in many._repr_html_()
    assert repr(Findings({"purity": Number(0.5)}, partition=partition)) == (
        "Findings(purity 0.50; tables: none; Partition(<HDBSCAN>: 2 clusters of 10 rows, coverage 0.90))"
    )


def test_labels_say_how_many_have_a_name() -> None:
    label = ClusterLabel(0, "<img>", 40, 0.9, 3.0, chance_lift=2.0, p_value=0.01, above_chance=True)
    labels = Labels((label,))
    assert repr(labels) == "Labels(1 cluster, 1 with a name that most of the held-out rows fit)"
    assert "<td>&lt;img&gt;</td><td>40</td><td>0.90</td>" in labels._repr_html_()


def test_rows_say_their_shape() -> None:
    origins = Origins(np.arange(300), np.zeros(300, int), (), ("a",) * 300)
    rows = Rows("hidden.1", origins, activations=np.zeros((300, 8), np.float32), classes=("x", "y"))
    assert repr(rows) == "Rows(300 rows of layer hidden.1, activations (300, 8), 2 classes)"


def test_a_plan_says_what_is_to_do() -> None:
    stages = (
        StageOutlook("harvest", "harvest", "a" * 32, stored=True, n_bytes=1200),
        StageOutlook("groups", "analysis", "b" * 32, stored=False),
    )
    child = ChildOutlook("<small>", "hidden.1", 10, 10, 8, 0, 0.0, stages)
    outlook = Outlook((child,))
    assert repr(outlook) == "Outlook(1 runs, 2 stages, 1 to do)"
    assert "<td>harvest</td><td>harvest</td><td>stored</td><td>1,200</td>" in outlook._repr_html_()
    assert "&lt;small&gt;" in outlook._repr_html_()
