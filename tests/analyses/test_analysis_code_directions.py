from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polylens.analyses import Outcome
from polylens.analyses.code_directions import CodeDirections
from polylens.errors import DataError
from polylens.records import RowTokens

FACTORS = (("class 1", "class 3"), ("class 2", "class 3"))


def _small(**fields: object) -> CodeDirections:
    return CodeDirections(**{"components": 4, "permutations": 20, "resamples": 20, **fields})


def _rows(make_rows, codes: np.ndarray, *, n: int = 160, noise: float = 0.05, **fields: object):
    """Rows of four classes with a code a class, and some bits turned."""
    rng = np.random.default_rng(0)
    group = np.arange(n) % 4
    bits = codes[group] ^ (rng.random((n, codes.shape[1])) < noise)
    return make_rows(bits={"one": bits}, targets=group, **fields)


def _square(width: int = 20) -> np.ndarray:
    """Codes of four classes in which two factors switch bits of their own."""
    codes = np.zeros((4, width), bool)
    codes[[1, 3], : width // 2] = True
    codes[[2, 3], width // 2 :] = True
    return codes


def test_factors_with_bits_of_their_own_add_up_and_unrelated_codes_do_not(make_rows, find):
    found = find(_small(factors=FACTORS), _rows(make_rows, _square())).numbers
    unrelated = np.random.default_rng(3).random((4, 400)) < 0.5
    other = find(_small(factors=FACTORS), _rows(make_rows, unrelated)).numbers
    for family in ("bits", "pca"):
        assert found[f"additive_share.{family}"].value == pytest.approx(1.0, abs=0.02)
        assert found[f"same_direction.{family}"].value == pytest.approx(1.0, abs=0.02)
        assert found[f"analogies.{family}"].value > 0.95
        assert found[f"analogies.{family}"].chance < 0.7
        assert other[f"additive_share.{family}"].value == pytest.approx(2 / 3, abs=0.06)
        assert other[f"same_direction.{family}"].value == pytest.approx(0.0, abs=0.15)
    assert found["additive_share.bits"].chance < 0.9
    assert found["additive_share.bits"].low <= found["additive_share.bits"].value


def test_components_restore_held_out_codes_that_have_some_and_not_codes_without(make_rows, find):
    found = find(_small(), _rows(make_rows, _square()))
    # Two directions make these codes, and turned bits are noise: 0.25 of 0.25 + 0.05 * 0.95 of the variance.
    curve = found.tables["curve"].set_index(["family", "components"])["restored"]
    assert curve["pca", 2] == pytest.approx(0.8, abs=0.05)
    assert curve["pca", 1] < 0.5
    assert found.numbers["reconstruction.pca"].chance < 0.3
    independent = _rows(make_rows, np.zeros((4, 20), bool), noise=0.5)
    number = find(_small(), independent).numbers["reconstruction.pca"]
    assert number.value == pytest.approx(number.chance, abs=0.06)
    assert number.interval.startswith("5 to 95 % of 20 resamples of the examples")


def test_without_named_factors_nothing_is_said_of_adding_up(make_rows, find):
    found = find(_small(), _rows(make_rows, _square()))
    assert not any(name.startswith("additive") for name in found.numbers)
    assert "No two factors are named: whether directions add up is not tested." in found.notes


def test_factors_of_text_are_letters_in_the_token_and_in_the_one_before(make_rows, find):
    rng = np.random.default_rng(0)
    current, before = rng.integers(0, 40, (2, 400))
    word, after_word = current < 20, before < 20
    bits = np.stack([word] * 6 + [after_word] * 6, axis=1) ^ (rng.random((400, 12)) < 0.05)
    rows = make_rows(
        bits={"one": bits}, example=np.repeat(np.arange(100), 4), position=np.tile(np.arange(4), 100)
    )
    vocabulary = ["word"] * 20 + ["7"] * 20
    rows = replace(rows, tokens=RowTokens(vocabulary, current, before, np.roll(current, -1)))
    found = find(_small(), rows)
    assert found.numbers["additive_share.bits"].value == pytest.approx(1.0, abs=0.02)
    assert "The factors are that the token has a letter" in " ".join(found.notes)


def test_fewer_rows_and_bits_can_be_looked_at_and_it_is_said(make_rows, find):
    found = find(_small(most_rows=50, most_bits=8), _rows(make_rows, _square()))
    assert "50 of 160 examples were looked at." in found.notes
    assert "8 of 20 bits were looked at." in found.notes


def test_codes_that_are_all_equal_have_nothing_to_restore(make_rows, find):
    found = find(_small(factors=FACTORS), _rows(make_rows, np.zeros((4, 9), bool), noise=0.0))
    assert not any(name.startswith(("reconstruction", "additive")) for name in found.numbers)


@pytest.mark.parametrize(
    ("factors", "n", "message"),
    [((("class 1", "nine"), ("class 2",)), 160, "not there: nine"), (None, 3, "4 examples at least")],
)
def test_what_cannot_be_looked_at_is_an_error_in_words(factors, n, message, make_rows, find):
    with pytest.raises(DataError, match=message):
        find(_small(factors=factors), _rows(make_rows, _square(), n=n))


def test_rows_without_codes_are_told_to_take_some(make_rows, find):
    with pytest.raises(DataError, match="needs codes") as caught:
        find(_small(), make_rows(np.ones((9, 2))))
    assert "code:" in str(caught.value)


def test_the_same_rows_and_seed_give_the_same_findings_and_pictures_of_them(make_rows, find, same_findings):
    rows, analysis = _rows(make_rows, _square()), _small(factors=FACTORS)
    one, other = find(analysis, rows), find(analysis, rows)
    assert same_findings(one, other)
    outcomes = {"network": (Outcome(rows, one, {}),), "random_init": (Outcome(rows, other, {}),)}
    names = [figure.name for figure in analysis.draw(outcomes, subject="x")]
    assert names == ["reconstruction", "additivity"]
    plain = find(_small(), rows)
    assert len(analysis.draw({"network": (Outcome(rows, plain, {}),)}, subject="x")) == 1
