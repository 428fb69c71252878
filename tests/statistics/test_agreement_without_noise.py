from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from polylens.statistics import Blocks, class_null, information_agreement, pair_agreement
from polylens.streams import Streams

SCORES = [information_agreement, pair_agreement]
CLASSES = np.repeat(np.arange(10), 100)


def without_class(*lost: int) -> np.ndarray:
    """A cluster for each class but some, whose rows are all noise."""
    kept = np.where(np.isin(CLASSES, lost), -1, CLASSES)
    return np.where(kept >= 0, np.searchsorted(np.setdiff1d(np.arange(10), lost), kept), -1)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("lost", [1, 3])
def test_a_class_that_is_all_noise_is_worth_no_more_than_as_much_noise_in_every_class(score, lost):
    whole = without_class(*range(lost))
    even = np.where(np.arange(1000) % 100 < 10 * lost, -1, CLASSES)
    assert score(whole, CLASSES) == pytest.approx(1 - lost / 10)
    assert score(even, CLASSES) == pytest.approx(1 - lost / 10)


@pytest.mark.parametrize("score", SCORES)
def test_leaving_out_the_same_rows_is_no_agreement(score):
    rng = np.random.default_rng(0)
    noise = rng.random(2000) < 0.6
    first, second = (np.where(noise, -1, rng.integers(0, 5, 2000)) for _ in range(2))
    assert score(first, second) == pytest.approx(0, abs=0.01)
    assert score(first, first) == pytest.approx(1)
    assert score(np.full(9, -1), np.full(9, -1)) == 0.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31))
def test_rows_of_both_are_scored_as_scikit_learn_scores_them(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(-1, 4, 60), rng.integers(-1, 3, 60)
    both, either = (first >= 0) & (second >= 0), (first >= 0) | (second >= 0)
    share = both.sum() / either.sum()
    theirs = adjusted_mutual_info_score(first[both], second[both])
    assert information_agreement(first, second) == pytest.approx(theirs * share, abs=1e-9)
    assert pair_agreement(first, second) == pytest.approx(
        adjusted_rand_score(first[both], second[both]) * share, abs=1e-9
    )
    assert information_agreement(second, first) == pytest.approx(information_agreement(first, second))


def test_chance_is_zero_for_rows_alone_and_what_shuffling_gives_for_rows_that_go_together():
    # Forty documents of forty rows each: nothing means anything, but rows of one document go together.
    rng = np.random.default_rng(0)
    found = {"alone": [], "together": []}
    for seed in range(25):
        example = np.repeat(np.arange(40), 40)
        own = rng.integers(-1, 5, 40)[example]
        labels = {"alone": rng.permutation(own), "together": own}
        classes = rng.integers(0, 4, 40)[example]
        for name, each in labels.items():
            blocks = Blocks.of(example)
            null = class_null(each, classes, blocks=blocks, permutations=20, streams=Streams(seed))
            found[name].append((information_agreement(each, classes), null.information.mean()))
    alone, together = (np.mean(found[name], axis=0) for name in ("alone", "together"))
    assert alone == pytest.approx([0, 0], abs=0.002)
    assert together[0] > 0.04
    assert together[1] == pytest.approx(together[0], rel=0.2)
