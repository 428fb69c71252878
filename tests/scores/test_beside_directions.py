"""Clusters beside directions: planted worlds in which it is known which of the two is better named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.judge_server import judge_server
from tests.scores.planted_clusters import honest, partition_of, subject
from tests.shapes import unchecked

from polylens.analyses.directions import Directions
from polylens.judges.compatible import Compatible
from polylens.records import Findings, Grouping, Origins, Rows
from polylens.scores import Score
from polylens.scores._beside import aligned
from polylens.scores.detection import Detection
from polylens.scores.intruder import Intruder
from polylens.scores.match import Match
from polylens.statistics import above_the_rest, dealt_sizes, matched_members, standardise
from polylens.streams import Streams
from polylens.work import Judging, Server, Work

NAMES = ("ape", "bee", "cat", "dog", "eel", "fox")
SIZES = (120, 80, 60, 50, 40, 30)
DETECT = Detection(of="clusters", beside="directions", random_rows=False)


def world(points: np.ndarray, targets: np.ndarray) -> Rows:
    """Rows of examples of their own, with a class each."""
    count = len(targets)
    ids = tuple(f"example-{index}" for index in range(count))
    origins = Origins(np.arange(count), np.zeros(count, np.int64), (), ids)
    return Rows("layer", origins, activations=points.astype(np.float32), targets=targets, classes=NAMES)


def planted_basis(*, noise: float, seed: int) -> Rows:
    """A neuron for each class, of unequal lengths and in another order."""
    rng = np.random.default_rng(seed)
    targets = np.repeat(np.arange(len(SIZES)), SIZES)
    points = np.eye(len(SIZES))[targets] + noise * rng.normal(size=(len(targets), len(SIZES)))
    return world((points * rng.uniform(0.5, 2, len(SIZES)))[:, rng.permutation(len(SIZES))], targets)


def crowded(*, seed: int) -> Rows:
    """More classes than neurons, on a circle: each class is a cluster, and no neuron is of one class."""
    rng = np.random.default_rng(seed)
    targets = np.repeat(np.arange(len(SIZES)), SIZES)
    angle = 2 * np.pi * (targets + 0.5) / len(SIZES)
    points = np.stack([np.cos(angle), np.sin(angle), np.cos(2 * angle)], axis=1)
    return world(points + 0.05 * rng.normal(size=points.shape), targets)


def neurons_of(rows: Rows, clusters: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """The members of neurons and of their opposites, dealt as the analysis `directions` deals them."""
    values = np.asarray(rows.activations)
    along = np.hstack([values, -values])[:, : int(clusters.max()) + 1]
    scores, rng = standardise(along).astype(np.float64), np.random.default_rng(seed)
    sizes = dealt_sizes(scores, clusters, generator=rng)
    return matched_members(above_the_rest(scores, sizes), sizes, generator=rng)


def scored(rows: Rows, clusters: np.ndarray, *, score: Score = DETECT, seed: int = 0) -> Findings:
    """The score of clusters beside neurons and random rows, all named by their classes."""
    with unchecked():
        beside = {
            "neurons": Grouping(neurons_of(rows, clusters, seed=seed)),
            "random": Grouping(np.random.default_rng(seed).permutation(clusters), is_control=True),
        }
        target = replace(subject(rows, clusters, seed=seed), beside=beside)
        return score.score(target, Work(Streams(seed).child("score")))


def best_clusters(rows: Rows) -> np.ndarray:
    """Clusters by the class whose mean is nearest, numbered by falling size, which planted classes are."""
    points, targets = np.asarray(rows.activations), np.asarray(rows.targets)
    means = np.stack([points[targets == each].mean(0) for each in range(len(NAMES))])
    return np.linalg.norm(points[:, None] - means[None], axis=2).argmin(1)


@pytest.mark.parametrize("score", [DETECT, Match(of="clusters", beside="directions", random_rows=False)])
def test_a_basis_of_one_meaning_a_direction_is_named_exactly_as_well_as_clusters(score):
    rows = planted_basis(noise=0.0, seed=0)
    numbers = scored(rows, np.asarray(rows.targets), score=score).numbers
    own, lead = numbers[f"{score.kind()}.words"], numbers["lead_over_neurons.words"]
    assert own.value == numbers["directions.neurons.words"].value == 1.0
    assert lead.value == 0.0
    assert lead.low < 0.0 < lead.high
    assert numbers["least_lead.words"].value == 0.0  # random rows do worse, and are no rival
    assert numbers["lead_over_random.words"].low > 0.2


@pytest.mark.slow
def test_intruders_among_the_rows_of_equal_sets_are_found_equally_often(tmp_path):
    rows = planted_basis(noise=0.0, seed=0)
    clusters = np.asarray(rows.targets)
    judge = Compatible(model="m", at_once=16, tries=1)
    score = Intruder(of="clusters", beside="directions", groups=4, random_rows=False, judge=judge)
    beside = {"neurons": Grouping(neurons_of(rows, clusters))}
    with judge_server(honest) as server, unchecked():
        judging = Judging({"default": Server(server.address)}, answers=tmp_path)
        work = Work(Streams(0).child("score"), judging=judging)
        found = score.score(replace(subject(rows, clusters), beside=beside), work)
        asked = server.requests
    assert found.numbers["intruder"].value == found.numbers["directions.neurons"].value == 1.0
    assert found.numbers["lead_over_neurons"].value == found.numbers["least_lead"].value == 0.0
    assert found.numbers["directions.neurons"].chance == 0.2
    assert asked == 4 * len(NAMES)  # equal groups are asked about once


@pytest.mark.slow
def test_intervals_of_leads_over_a_noisy_basis_hold_0():
    leads = []
    for seed in range(12):
        rows = planted_basis(noise=0.3, seed=seed)
        leads.append(scored(rows, best_clusters(rows), seed=seed).numbers["lead_over_neurons.words"])
    assert abs(np.mean([lead.value for lead in leads])) < 0.02
    # Nine of ten intervals hold the truth; fewer than 8 of 12 have a chance of 0.004.
    assert sum(lead.low <= 0 <= lead.high for lead in leads) >= 8


def test_clusters_are_better_named_than_neurons_that_each_pass_through_several_of_them():
    rows = crowded(seed=0)
    found = scored(rows, np.asarray(rows.targets))
    lead = found.numbers["lead_over_neurons.words"]
    assert found.numbers["detection.words"].value == 1.0
    assert 0.1 < lead.low < lead.value
    table = found.tables["beside"].set_index("row_sets")
    assert list(table.index) == ["clusters", "neurons", "random"]
    assert table["sets"].tolist() == [6, 6, 6]
    assert table["lead_of_clusters"]["neurons"] == lead.value


def test_without_any_meaning_both_are_at_chance():
    rows = crowded(seed=0)
    meaningless = replace(rows, targets=np.random.default_rng(1).permutation(np.asarray(rows.targets)))
    numbers = scored(meaningless, np.asarray(rows.targets)).numbers
    for name in ("detection.words", "directions.neurons.words", "directions.random.words"):
        assert numbers[name].low <= 0.5 <= numbers[name].high
        assert numbers[name].chance >= 0.5
    assert numbers["lead_over_neurons.words"].low <= 0 <= numbers["lead_over_neurons.words"].high


def test_row_sets_are_those_that_directions_finds_and_random_directions_are_a_control():
    rows = planted_basis(noise=0.1, seed=0)
    clusters = np.asarray(rows.targets)
    analysis = Directions(of="clusters", families=("neurons",), permutations=20, resamples=20)
    upstream = {"clusters": Findings(partition=partition_of(clusters))}
    with unchecked():
        found = analysis.run(rows, Work(Streams(0), upstream=upstream))
    groupings = analysis.groupings(found)
    assert {name: each.is_control for name, each in groupings.items()} == {"neurons": False, "random": True}
    own = aligned(np.asarray(groupings["neurons"].labels), clusters)
    assert np.array_equal(own, aligned(neurons_of(rows, clusters), clusters))
    lines = found.tables["directions"].set_index(["family", "rank"])["members"]
    assert np.bincount(groupings["neurons"].labels[groupings["neurons"].labels >= 0]).tolist() == [
        lines["neurons", rank] for rank in range(len(NAMES))
    ]
    assert analysis.groupings(Findings()) == {}


def test_with_fewer_directions_than_clusters_the_largest_clusters_are_compared():
    rows = planted_basis(noise=0.0, seed=0)
    target = subject(replace(rows, codes=None), np.asarray(rows.targets))
    kept = np.where(np.asarray(rows.targets) < 4, np.asarray(rows.targets), -1)
    found = DETECT.score(replace(target, beside={"few": Grouping(kept)}), Work(Streams(0).child("score")))
    assert found.tables["beside"]["row_sets"].tolist() == ["clusters", "compared clusters", "few"]
    assert found.tables["beside"]["sets"].tolist() == [6, 4, 4]
    assert found.numbers["lead_over_few.words"].value == 0.0
    assert found.numbers["compared_clusters.words"] == replace(found.numbers["directions.few.words"])


def test_sets_without_enough_rows_have_no_lead_and_say_why():
    rows = planted_basis(noise=0.0, seed=0)
    target = subject(rows, np.asarray(rows.targets))
    tiny = np.full(len(rows), -1)
    tiny[:7] = 0
    found = DETECT.score(replace(target, beside={"tiny": Grouping(tiny)}), Work(Streams(0).child("score")))
    assert "tiny: no cluster has 8 rows" in found.undefined["lead_over_tiny.words"]
    assert found.undefined["least_lead.words"] == "no family can be compared"


def test_there_is_no_lead_where_guessing_among_few_labels_does_not_do_equally_well():
    rows = planted_basis(noise=0.0, seed=0)
    clusters = np.asarray(rows.targets)
    few = np.where(clusters < 3, clusters, -1)
    few[np.flatnonzero(clusters == 3)[:7]] = 3  # too small a set to be scored
    target = replace(subject(rows, clusters), beside={"few": Grouping(few)})
    found = Match(of="clusters", random_rows=False).score(target, Work(Streams(0).child("score")))
    assert found.numbers["compared_clusters.words"].chance == pytest.approx(1 / 4)
    assert found.numbers["directions.few.words"].chance == pytest.approx(1 / 3)
    assert "3 sets of few are scored and 4 clusters" in found.undefined["lead_over_few.words"]
    assert "lead_over_few.words" not in found.numbers


def test_sets_are_numbered_as_the_clusters_they_share_most_rows_with():
    rng = np.random.default_rng(0)
    clusters = rng.permutation(np.repeat(np.arange(-1, 5), 20))
    renamed = np.append(rng.permutation(5), -1)[clusters]
    assert np.array_equal(aligned(renamed, clusters), clusters)
