"""Errors as text, and the words they share."""

from __future__ import annotations

from pathlib import Path

import pytest

from polylens import errors
from polylens.errors import Place, PolylensError, Problem, SpecError, StageError, listed, nearest, shown_path


def test_every_error_of_the_tree_has_its_line_in_the_drawing() -> None:
    tree = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PolylensError)
    ]
    assert len(tree) == 8
    assert errors.__doc__ is not None
    assert all(kind.__name__ in errors.__doc__ for kind in tree)
    assert {kind.__name__ for kind in tree if kind.exit_code == 2} == {"SpecError", "UsageError"}


def test_a_hint_stands_below_the_message() -> None:
    assert str(PolylensError("no images", hint="look in data/")) == "no images\n  look in data/"
    assert str(PolylensError("no images")) == "no images"


def test_a_failed_stage_says_which_and_where_it_was_asked_for() -> None:
    error = StageError("clusters", "too few rows", path="analyses.clusters")
    assert str(error) == "stage clusters failed: too few rows"
    assert error.path == "analyses.clusters"


def test_a_problem_keeps_everything_when_its_place_is_found() -> None:
    place = Place("a.yaml", 3, 1)
    problem = Problem("wrong", path="seed", suggestion="0", notes=("a note",))
    assert problem.at(place) == Problem("wrong", place, "seed", "0", ("a note",))
    assert str(SpecError([problem, Problem("worse")])) == "wrong\n  did you mean '0'?\n  a note\nworse"


@pytest.mark.parametrize(("name", "near"), [("clutsers", "clusters"), ("xyz", None), ("", None)])
def test_only_a_name_that_is_near_is_suggested(name: str, near: str | None) -> None:
    assert nearest(name, ["codes", "clusters"]) == near


def test_long_lists_of_names_are_cut_and_counted() -> None:
    assert listed([]) == ""
    assert listed(["a", "b"], most=2) == "a, b"
    assert listed([str(number) for number in range(1000)]).endswith("39, ... (1000 in all)")


def test_files_are_named_as_seen_from_the_working_directory(folder: Path) -> None:
    assert shown_path(folder / "specs" / "a.yaml") == "specs/a.yaml"
    assert shown_path(Path("specs/../a.yaml")) == "a.yaml"
    assert shown_path(folder.parent / "other" / "a.yaml") == str(folder.parent / "other" / "a.yaml")
