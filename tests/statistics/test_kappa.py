"""Cohen's kappa against scikit-learn, and where it is not defined."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from polylens.records import Number
from polylens.statistics import cohen_kappa, kappa_number


def test_it_is_that_of_scikit_learn_on_random_ratings():
    from sklearn.metrics import cohen_kappa_score

    generator = np.random.default_rng(0)
    n_undefined = 0
    for _ in range(300):
        items, kinds = int(generator.integers(1, 40)), int(generator.integers(1, 5))
        first = generator.integers(kinds, size=items)
        second = np.where(
            generator.random(items) < generator.random(), first, generator.integers(kinds, size=items)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where it is not defined
            theirs = cohen_kappa_score(first, second)
        ours = cohen_kappa(np.stack([first, second], axis=1))
        n_undefined += math.isnan(theirs)
        # Sums of at most 40 whole numbers, a product and a quotient: a few roundings of 2^-53.
        assert ours == pytest.approx(theirs, abs=1e-13, nan_ok=True)
    assert n_undefined > 0


def test_a_kappa_by_hand_with_an_interval_around_it():
    # 20 items: both say 0 of 8, both 1 of 6, they differ in 3 and 3. Agreement 14 / 20; by chance
    # (11 * 11 + 9 * 9) / 400 = 0.505.
    ratings = np.array([[0, 0]] * 8 + [[1, 1]] * 6 + [[0, 1]] * 3 + [[1, 0]] * 3)
    number = kappa_number(ratings, generator=np.random.default_rng(0))
    assert isinstance(number, Number)
    assert number.value == pytest.approx((0.7 - 0.505) / (1 - 0.505), abs=1e-13)
    assert number.low < number.value < number.high
    # The large-sample standard error (Fleiss, Cohen and Everitt 1969) is about 0.20, so 90 % is 0.66 wide.
    assert 0.45 < number.high - number.low < 0.85


def test_what_is_not_defined_is_said_and_no_number():
    generator = np.random.default_rng(0)
    none, one, same = np.zeros((0, 2), int), np.array([[0, 1]]), np.zeros((5, 2), int)
    assert kappa_number(none, generator=generator) == "both judged none of the clusters; it takes two"
    assert kappa_number(one, generator=generator) == "both judged 1 of the clusters; it takes two"
    assert "the same of all 5 clusters" in str(kappa_number(same, generator=generator))


@pytest.mark.parametrize(
    ("ratings", "value"), [([[0, 0], [1, 1], [1, 1]], 1.0), ([[0, 0], [0, 1], [0, 1]], 0.0)]
)
def test_raters_who_always_agree_or_never_vary_have_no_interval_of_no_width(ratings, value):
    number = kappa_number(np.array(ratings), generator=np.random.default_rng(0))
    assert isinstance(number, Number)
    assert (number.value, number.low, number.high) == (value, None, None)
