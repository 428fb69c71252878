"""What versions of people's labels come to: the last word counts, verdicts of one cluster go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from polylens.records import LabelRecord, Labels
from polylens.statistics import Shares
from polylens.store import Annotations
from polylens.study.people.gathering import gather
from polylens.study.people.said import People


def line(cluster: int, verdict: str, author: str, **more: Any) -> dict[str, Any]:
    said = {"label": f"label {cluster}", "note": "", "date": "2026-11-30"}
    return {"cluster": cluster, "verdict": verdict, "author": author, **said, **more}


def keep(root: Path, *lines: dict[str, Any], others: tuple[dict[str, Any], ...] = (), **more: Any) -> int:
    version = {"sheet": "bdfg", "blind": False, "lines": [*lines], "others": [*others], **more}
    return Annotations(root, "clusters").keep_version(version)[0]


def said(root: Path, labels: dict[str, Labels] | None = None) -> People:
    return gather(root, "clusters", run="a run", of="clusters", n_clusters=9, labels=labels or {})


def test_nothing_is_said_of_clusters_that_nobody_judged(tmp_path):
    people = said(tmp_path)
    assert (people.tally(), people.agreement(), people.blind(), people.numbers()) == ((), (), (), {})
    assert people.in_words == "nobody has judged the clusters of 'clusters' yet"


def test_the_last_word_of_each_author_counts_and_no_version_is_lost(tmp_path):
    assert keep(tmp_path, line(0, "one", "anna"), line(1, "one", "anna")) == 1
    assert keep(tmp_path, line(0, "several", "ben")) == 2
    assert keep(tmp_path, line(0, "several", "anna")) == 3
    assert keep(tmp_path, line(0, "several", "anna")) == 3
    people = said(tmp_path)
    assert people.n_versions == 3
    verdicts = {(each.by, each.cluster): each.meanings for each in people.records}
    assert verdicts == {("anna", 0): "several", ("anna", 1): "one", ("ben", 0): "several"}
    assert [version["version"] for version in Annotations(tmp_path, "clusters").versions()] == [1, 2, 3]


def test_verdicts_of_several_people_on_one_cluster_are_not_independent(tmp_path):
    words = ["one", "one", "one", "several", "unclear", "one"]
    keep(tmp_path, *(line(k, word, who) for who in ("anna", "ben") for k, word in enumerate(words)))
    everybody, anna, ben = said(tmp_path).tally()
    assert everybody.counts == {"one": 8, "several": 2, "unclear": 2}
    assert everybody.one.value == anna.one.value == ben.one.value == pytest.approx(4 / 6)
    alone = Shares.of(np.array([True] * 8 + [False] * 4), example=np.arange(12)).limits()
    # As two who always agree are one: wider than of twelve verdicts on as many clusters.
    assert everybody.one.low < alone[0][0]
    assert everybody.one.high > alone[1][0]


def test_people_are_held_against_judges_who_say_how_many_meanings_there_are(tmp_path):
    by_anna = ["one", "one", "several", "one", "unclear", "several"]
    by_judge = ["one", "several", "several", "one", "one", ""]
    keep(tmp_path, *(line(k, word, "anna") for k, word in enumerate(by_anna)))
    written = tuple(
        LabelRecord(k, "text", "words", "written", meanings=word) for k, word in enumerate(by_judge)
    )
    people = said(tmp_path, {"words": Labels((), written=written), "digits": Labels(())})
    (pair,) = people.agreement()
    assert (pair.first, pair.second, pair.clusters) == ("anna", "words", 5)
    assert pair.kappa.value == pytest.approx(cohen_kappa_score(by_anna[:5], by_judge[:5]), abs=1e-12)
    assert people.numbers()["people/clusters/kappa/anna/words"] == pair.kappa
    only_one = said(tmp_path, {"words": Labels((), written=written[:1])})
    assert only_one.agreement()[0].why == "both judged 1 of the clusters; it takes two"
    assert "people/clusters/kappa/anna/words" not in only_one.numbers()
    (undefined,) = only_one.table().query("undefined != ''").to_dict("records")
    assert undefined["name"] == "people/clusters/kappa/anna/words"


def test_blind_verdicts_count_for_their_side_and_those_of_clusters_for_the_tally_too(tmp_path):
    sides = [
        line(0, "several", "anna", side="random_init", draw=1),
        line(0, "one", "anna", side="random_init", draw=2),
        line(0, "unclear", "anna", side="random_rows", draw=1),
    ]
    keep(tmp_path, line(4, "one", "anna"), line(5, "one", "anna"), others=tuple(sides), blind=True)
    # The sets of random rows of another sheet are other sets; its clusters are the same.
    more = line(0, "one", "ben", side="random_rows", draw=1)
    keep(tmp_path, line(4, "several", "ben"), others=(more,), blind=True, sheet="kkkk")
    people = said(tmp_path)
    shares = {each.side: (each.groups, each.one.value) for each in people.blind()}
    assert shares == {
        "network": (2, pytest.approx(2 / 3)),
        "random_init": (2, 0.5),
        "random_rows": (2, 0.5),
    }
    leads = {each.side: each.lead for each in people.blind()}
    assert leads["network"] is None
    assert leads["random_init"].value == pytest.approx(2 / 3 - 0.5)
    assert leads["random_init"].low < 0 < leads["random_init"].high
    assert {(each.by, each.cluster) for each in people.records} == {("anna", 4), ("anna", 5), ("ben", 4)}
