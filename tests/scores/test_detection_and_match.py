from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.judge_server import judge_server
from tests.scores.planted_clusters import CLASSES, always_yes, honest, planted_rows, subject

from polylens.errors import DataError
from polylens.judges.compatible import Compatible
from polylens.scores.detection import Detection
from polylens.scores.intruder import Intruder
from polylens.scores.match import Match
from polylens.statistics import draw_rows
from polylens.streams import Streams
from polylens.work import Judging, Server, Work

ROWS = planted_rows()
PURE = np.asarray(ROWS.targets)
JUDGE = Compatible(model="m", at_once=16, tries=1)


def judged(score, labels, brain, **manners):
    """The score by a judge, and the server that was asked."""
    with judge_server(brain, **manners) as server:
        work = Work(Streams(0).child("score"), judging=Judging({"default": Server(server.address)}))
        return score.score(subject(ROWS, labels, in_words=True), work), server


def by_rule(score, labels, **fields):
    return score.score(subject(ROWS, labels, **fields), Work(Streams(0).child("score")))


@pytest.mark.parametrize(("score", "chance"), [(Detection(of="clusters"), 0.5), (Match(of="clusters"), 0.2)])
def test_rules_tell_planted_clusters_apart_and_nothing_else(score, chance):
    numbers = by_rule(score, PURE).numbers
    own = numbers[f"{score.kind()}.words"]
    assert own.value == 1.0
    assert 0.9 < own.low < own.high == 1.0
    assert own.chance == chance
    assert "200 permutations of labels" in own.chance_is
    random = numbers["random_rows.words"]
    assert random.low <= chance + 0.08
    assert random.value < 0.65
    assert numbers["strong_fraction.words"].value == 1.0
    assert numbers["distinct_labels.words"].value == len(CLASSES)
    assert numbers["scored_clusters"].value == len(CLASSES)


@pytest.mark.slow
def test_an_honest_judge_says_what_rules_say(tmp_path):
    for score in (Detection(of="clusters", judge=JUDGE), Match(of="clusters", judge=JUDGE)):
        found, server = judged(score, PURE, honest)
        name = f"{score.kind()}.words"
        assert found.numbers[name].value == 1.0
        assert found.numbers[name].chance <= 0.5
        assert found.numbers["random_rows.words"].value < 0.7
        assert found.numbers["answered"].value == len(server.asked)
        assert "strong_fraction.words" in found.undefined


@pytest.mark.slow
def test_a_judge_that_always_says_yes_scores_at_chance():
    found, _ = judged(Detection(of="clusters", judge=JUDGE), PURE, always_yes)
    assert found.numbers["detection.words"].value == 0.5
    assert found.numbers["random_rows.words"].value == 0.5
    found, _ = judged(Match(of="clusters", judge=JUDGE), PURE, always_yes)
    assert found.numbers["match.words"].low < 0.2 < found.numbers["match.words"].high
    found, _ = judged(Intruder(of="clusters", judge=JUDGE), PURE, always_yes)
    assert found.numbers["intruder"].low < 0.2 < found.numbers["intruder"].high


@pytest.mark.slow
def test_intruders_are_found_in_planted_clusters_and_not_among_random_rows():
    found, _ = judged(Intruder(of="clusters", judge=JUDGE), PURE, honest)
    assert found.numbers["intruder"].value == 1.0
    assert found.numbers["intruder"].chance == 0.2
    assert found.numbers["random_rows"].value < 0.4
    items = found.tables["items"]
    assert len(items) == 2 * 10 * len(CLASSES)
    assert set(items["intruder_is"]) == {"nearest", "elsewhere"}


@pytest.mark.slow
def test_what_is_not_answered_counts_as_a_guess_and_is_listed():
    found, server = judged(Detection(of="clusters", judge=JUDGE), PURE, honest, malformed=0.3, failing=0.1)
    items = found.tables["items"]
    wrong = items["outcome"].isin(["malformed", "failed"])
    assert set(items["right"][wrong]) == {0.5}
    fates = [server.fate(message) for message in server.asked]
    assert found.numbers["malformed"].value == fates.count("malformed")
    assert found.numbers["failed"].value == fates.count("failing")
    assert "counts as a guess" in found.notes[-1]
    own = items[items["group"] == "clusters"]
    assert found.numbers["detection.words"].value == pytest.approx(own["right"].mean())
    (prompt,) = found.tables["prompts"]["text"]
    assert prompt in next(iter(server.bodies))["messages"][0]["content"]


def test_labels_that_collide_fit_and_cannot_be_told_apart():
    halves = PURE * 2 + np.arange(len(PURE)) % 2  # every class is two clusters
    order = np.argsort(np.argsort(-np.bincount(halves), kind="stable"), kind="stable")
    found = by_rule(Match(of="clusters"), order[halves]).numbers
    assert found["match.words"].value == pytest.approx(0.5, abs=0.02)
    # A label that reads the same as a cluster's own is no permuted one, and hides no cluster that is told.
    fits = by_rule(Detection(of="clusters"), order[halves]).numbers
    assert fits["strong_fraction.words"].value > 0.5
    assert fits["detection.words"].chance == 0.5
    assert found["distinct_labels.words"].value == len(CLASSES)


def test_items_are_held_out_balanced_and_half_from_the_nearest_clusters():
    target = subject(ROWS, PURE)
    items = Detection(of="clusters").score(target, Work(Streams(0).child("score"))).tables["items"]
    own = items[items["group"] == "clusters"]
    assert own.groupby(["cluster", "item_is"]).size().unstack().values.tolist() == [[6, 12, 6]] * len(CLASSES)
    held_out = target.labelers["words"].held_out()
    assert held_out.sum() == len(ROWS) // 2
    rows = own["example"].str.removeprefix("example-").astype(int).to_numpy()
    assert held_out[rows].all()
    near = own[own["item_is"] == "nearest"]
    apart = np.abs(PURE[near["example"].str.removeprefix("example-").astype(int)] - near["cluster"])
    assert apart.between(1, 3).all()


def test_small_clusters_are_not_scored_and_counted():
    labels = np.where(np.arange(len(PURE)) % 60 < 7, PURE, -1)
    labels[PURE == 0] = 0
    found = by_rule(Detection(of="clusters"), labels)
    assert found.numbers["scored_clusters"].value == 1
    assert found.notes == (
        "5 of 6 clusters are not scored: they have fewer than 8 rows, or fewer than 4 examples in either "
        "half.",
    )
    nothing = by_rule(Match(of="clusters"), labels)
    assert "fewer than two clusters" in nothing.undefined["match.words"]
    assert "match.words" not in nothing.numbers


def test_without_clusters_there_is_no_score():
    found = by_rule(Detection(of="clusters"), np.full(len(PURE), -1))
    assert "no cluster has 8 rows" in found.undefined["detection.words"]


def test_labels_in_words_need_a_judge():
    with pytest.raises(DataError, match="only a judge can say"):
        by_rule(Detection(of="clusters"), PURE, in_words=True)
    with pytest.raises(DataError, match="nobody is there"):
        by_rule(Intruder(of="clusters"), PURE)


def test_a_label_that_was_made_of_other_rows_than_it_says_is_never_scored():
    target = subject(ROWS, PURE)
    moved = subject(ROWS, PURE, seed=1)
    target.labelers["words"].labels.tables["clusters"]["held_out_rows"] += 1
    with pytest.raises(AssertionError, match="was made of"):
        Detection(of="clusters").score(target, Work(Streams(0)))
    assert (moved.labelers["words"].held_out() != target.labelers["words"].held_out()).any()


def test_examples_are_drawn_once_before_any_is_drawn_again():
    block = np.repeat(np.arange(5), [10, 1, 1, 1, 1])
    drawn = draw_rows(np.arange(14), block, 6, np.random.default_rng(0))
    assert sorted(block[drawn[:5]]) == [0, 1, 2, 3, 4]
    assert block[drawn[5]] == 0
    assert len(set(drawn.tolist())) == 6


def test_one_label_for_all_clusters_has_nothing_to_permute():
    alike = planted_rows()
    everything = np.zeros(len(alike), np.int64)
    target = subject(replace(alike, targets=everything, classes=("ape",)), PURE)
    found = Detection(of="clusters").score(target, Work(Streams(0).child("score")))
    assert found.numbers["detection.words"].value == found.numbers["detection.words"].chance == 0.5
    assert found.numbers["detection.words"].chance_is == "by guessing"
    assert found.undefined["strong_fraction.words"] == "no two different labels"


@pytest.mark.slow
def test_classes_of_rows_are_scored_on_the_documents_that_named_none():
    rows = planted_rows()
    of_tags = replace(rows, origins=replace(rows.origins, example=np.arange(len(rows)) % 60), by_row=True)
    found = Detection(of="clusters").score(subject(of_tags, PURE), Work(Streams(0).child("score")))
    assert found.numbers["detection.words"].value == 1.0
    assert found.numbers["random_rows.words"].value < 0.65
