"""What a kind's methods return is held against what its family promises, with the method's file and line."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylens.analyses import Need, RowAnalysis
from polylens.errors import KindError
from polylens.labels.class_enrichment import ClassEnrichment
from polylens.records import ClusterLabel, Figure, Findings, Labels, Number, Partition, Rows
from polylens.study.returned import checked_figures, checked_findings, checked_labels
from polylens.work import Siblings, Work

PNG = b"\x89PNG and so on"


class Mine(RowAnalysis):
    """Somebody's analysis."""

    def needs(self) -> frozenset[Need]:
        """Nothing."""
        return frozenset()

    def run(self, rows: Rows, work: Work) -> Findings:
        """Nothing."""
        return Findings()


LABEL = ClassEnrichment(of="clusters")
ONE = Number(1.0)


def partition(labels: list[int]) -> Partition:
    count = len(labels)
    exemplars = np.zeros(max(labels, default=-1) + 1, dtype=np.int64)
    return Partition(
        np.array(labels), np.ones(count, dtype=np.float32), exemplars, method="mine", space="activation"
    )


def figure(name: str = "one", png: Any = PNG) -> Figure:
    return Figure(name=name, title="t", caption="c", png=png, alt="a")


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        (None, "returned None, not Findings: return Findings("),
        ({"share": 0.5}, "returned a dict, not Findings"),
        (Findings(numbers={"share": 0.5}), "a float as the number 'share', not Number(0.5)"),
        (Findings(numbers={"share": Number("0.5")}), "a str as the value of the number 'share'"),
        (Findings(numbers=[ONE]), "a list as `numbers`, not a map of Number by name"),
        (Findings(tables={"t": {"a": [1]}}), "a dict as the table 't', not a pandas.DataFrame"),
        (Findings(tables=[pd.DataFrame()]), "a list as `tables`"),
        (Findings(partition=np.zeros(3)), "a ndarray as `partition`, not a Partition"),
        (Findings(partition=partition([0, 0])), "a partition of 2 rows, and there are 3"),
        (Findings(partition=partition([0, 0, -1])), "does not say `gives_partition: ClassVar"),
    ],
)
def test_findings_of_another_form_are_told_with_method_file_and_line(returned: Any, says: str) -> None:
    with pytest.raises(KindError) as failure:
        checked_findings(Mine(), "run", returned, n_rows=3)
    assert failure.value.message.startswith("`run` of 'test_returned' returned ")
    assert says in failure.value.message
    line = Mine.run.__code__.co_firstlineno
    assert failure.value.hint is not None
    assert f"test_returned.py:{line};" in failure.value.hint


@given(
    st.dictionaries(
        st.sampled_from("abcde"), st.one_of(st.floats(allow_nan=True), st.integers(-9, 9)), max_size=5
    )
)
def test_right_findings_stay_and_what_is_no_number_is_called_undefined(values: dict[str, float]) -> None:
    given = Findings({name: Number(value) for name, value in values.items()}, undefined={"z": "said before"})
    checked = checked_findings(Mine(), "run", given, n_rows=3)
    defined = {name for name, value in values.items() if not math.isnan(value)}
    assert set(checked.numbers) == defined
    assert set(checked.undefined) == {"z"} | (set(values) - defined)
    assert checked.undefined["z"] == "said before"
    assert all(checked.numbers[name] is given.numbers[name] for name in defined)


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        (figure(), "one Figure, where a tuple of them is asked for"),
        (None, "returned None, not a tuple of Figure"),
        ((figure(), PNG), "returned a bytes, not Figure"),
        ((figure(), figure()), "two figures named 'one'"),
        ((figure(png="nothing"),), "with a str that is no PNG"),
        ((figure(png=b"GIF"),), "with a bytes that is no PNG"),
    ],
)
def test_figures_of_another_form_are_told(returned: Any, says: str) -> None:
    with pytest.raises(KindError, match=r"`draw` of 'test_returned' returned ") as failure:
        checked_figures(Mine(), returned)
    assert says in failure.value.message
    assert checked_figures(Mine(), [figure("a"), figure("b")]) == (figure("a"), figure("b"))


def test_labels_are_one_a_cluster() -> None:
    label = ClusterLabel(0, "cat", 2, 1.0, 2.0, chance_lift=1.0, p_value=0.01, above_chance=True)
    clusters = partition([0, 0, 1])
    both = Labels((label, replace(label, cluster=1)), {"named": Number(math.nan)})
    checked = checked_labels(LABEL, "label", both, clusters)
    assert checked.clusters == both.clusters
    assert dict(checked.undefined) == {"named": "it came out as no number (nan)"}
    for wrong in (Labels((label,)), Labels((label, label)), Labels((*both.clusters, label))):
        with pytest.raises(KindError, match="the clusters are 0 to 1, one label each"):
            checked_labels(LABEL, "label", wrong, clusters)
    with pytest.raises(KindError, match="returned a Findings, not Labels"):
        checked_labels(LABEL, "label", Findings(), clusters)


def test_a_sibling_that_is_not_named_is_told_by_upstream() -> None:
    known = Siblings("mine", {"clusters": Findings()})
    assert known["clusters"] == Findings()
    assert known.get("others") is None
    with pytest.raises(KindError, match=r"asks for the findings of 'others', and its `upstream` names 'cl"):
        known["others"]
