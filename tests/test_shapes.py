"""The checks of shapes themselves: inner functions are checked as all others, by checks made once."""

from __future__ import annotations

import gc
import importlib
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
from beartype import beartype
from jaxtyping import Float
from tests import shapes
from tests.shapes import checked

Scaled = Callable[[np.ndarray], np.ndarray]
Rows = tuple[Float[np.ndarray, "rows width"], int]
MODULE = """\
from __future__ import annotations

import numpy as np
from jaxtyping import Float


def outer(factor: float):
    def inner(rows: Float[np.ndarray, "rows width"]) -> Float[np.ndarray, "rows width"]:
        return rows * factor

    return inner
"""
made: list[object] = []


def counting(function: Callable[..., object]) -> Callable[..., object]:
    """beartype, with a note of each function that it makes checks for."""
    made.append(function)
    return beartype(function)


def scaled_by(factor: np.ndarray) -> Scaled:
    @checked(typechecker=counting)
    def scale(rows: Float[np.ndarray, "rows width"], times: int = 1) -> Float[np.ndarray, "rows width"]:
        """Rows, scaled."""
        found = rows * factor * times
        return found if times else found[1:]

    return scale


def test_inner_functions_of_one_code_keep_their_own_values_and_share_their_checks() -> None:
    made.clear()
    scales = [scaled_by(np.array([1.0, factor])) for factor in (2.0, 3.0, 4.0)]
    assert [scale(np.ones((1, 2)))[0, 1] for scale in scales] == [2.0, 3.0, 4.0]
    assert scales[2].__doc__ == "Rows, scaled."
    # Its arguments alone, and those with what it gives.
    assert len(made) <= 2


@pytest.mark.parametrize("factor", [2.0, 3.0])
def test_each_of_them_refuses_wrong_arguments_and_wrong_answers(factor: float) -> None:
    scale = scaled_by(np.array([1.0, factor]))
    with pytest.raises(jaxtyping.TypeCheckError, match="parameters"):
        scale(np.ones(2))
    with pytest.raises(jaxtyping.TypeCheckError, match="return value"):
        scale(np.ones((3, 2)), times=0)


def test_calls_that_differ_in_numbers_alone_are_checked_once_and_all_others_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scale = scaled_by(np.array([1.0, 5.0]))
    plain = scale.__wrapped__  # type: ignore[attr-defined]
    checks = shapes._made[plain.__module__, plain.__code__, tuple(plain.__annotations__.items())]
    checks._passed.clear()
    for value in (0.0, 1.0, 2.0):
        scale(np.full((3, 2), value))
    assert len(checks._passed) == 2, "what is given, and that with what is found"
    scale(np.ones((4, 2)))
    scale(np.ones((4, 2), dtype=np.float32))
    assert len(checks._passed) == 6
    with pytest.raises(jaxtyping.TypeCheckError, match="return value"):
        scale(np.ones((3, 2)), times=0)
    with pytest.raises(jaxtyping.TypeCheckError, match="parameters"):
        scale(np.ones((3, 2), dtype=np.int64))


def test_dataclasses_whose_fields_have_one_name_are_told_apart() -> None:
    @checked(typechecker=beartype)
    @dataclass
    class Held:
        rows: Float[np.ndarray, "rows width"]

    first = Held

    @checked(typechecker=beartype)
    @dataclass
    class Held:  # type: ignore[no-redef]
        rows: Float[np.ndarray, "rows"]

    first(np.ones((2, 2)))
    Held(np.ones(2))
    with pytest.raises(jaxtyping.TypeCheckError, match="parameters"):
        first(np.ones(2))


def test_what_has_no_arrays_is_left_as_it_is_and_a_name_that_is_not_known_yet_may_be_of_arrays() -> None:
    def plain(count: int, words: tuple[str, ...]) -> dict[str, float]:
        raise NotImplementedError

    def later(rows: Unknown) -> int:  # type: ignore[name-defined]
        raise NotImplementedError

    def by_alias(score: Scaled | None, rows: Rows) -> int:
        raise NotImplementedError

    assert checked(plain, typechecker=beartype) is plain
    assert checked(later, typechecker=beartype) is not later
    assert checked(by_alias, typechecker=beartype) is not by_alias


def test_checks_hold_on_to_nothing_of_a_call() -> None:
    factor = np.ones(2)
    scaled_by(factor)(np.ones((1, 2)))
    there = weakref.ref(factor)
    del factor
    gc.collect()
    assert there() is None


def test_inner_functions_of_a_hooked_module_are_checked_by_checks_that_are_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hooked_engine.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    with jaxtyping.install_import_hook("hooked_engine", "beartype.beartype"):
        engine = importlib.import_module("hooked_engine")
    noted: list[str] = []
    jaxtyped = shapes.jaxtyped

    def noting(function: Callable[..., object], **options: Any) -> Any:
        noted.append(function.__name__)
        return jaxtyped(function, **options)

    monkeypatch.setattr(shapes, "jaxtyped", noting)
    assert [engine.outer(factor)(np.ones((1, 2))).sum() for factor in (1.0, 2.0, 3.0)] == [2.0, 4.0, 6.0]
    assert noted == ["inner"]
    with pytest.raises(jaxtyping.TypeCheckError, match="parameters"):
        engine.outer(2.0)(np.ones(2))
