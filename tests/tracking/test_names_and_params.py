"""Names, texts and params in MLflow's alphabet."""

from __future__ import annotations

import posixpath
import re

from hypothesis import example, given
from hypothesis import strategies as st

from polylens.tracking.names import cut, file_name, key_name, text
from polylens.tracking.params import flatten, shorten

ANYTHING = st.text(st.characters(), max_size=400)


@given(ANYTHING)
@example("..0")
@example("x" * 242 + "/y" * 10)
@example("../.../a")
def test_every_name_becomes_a_key_that_mlflow_takes(name: str) -> None:
    key = key_name(name)
    assert re.fullmatch(r"[/\w.\- :]{1,250}", key)
    assert posixpath.normpath(key) == key
    assert not key.startswith(("/", ".."))


@given(ANYTHING)
def test_every_name_becomes_a_path_below_its_folder(name: str) -> None:
    parts = file_name(name).split("/")
    assert all(parts)
    assert not any(part.startswith(".") for part in parts)
    assert all(re.fullmatch(r"[\w.\-]+", part) for part in parts)


@given(st.lists(ANYTHING, min_size=2, max_size=6, unique_by=text))
def test_different_names_stay_different(names: list[str]) -> None:
    assert len({key_name(name) for name in names}) == len(names)
    assert len({file_name(name) for name in names}) == len(names)


@given(ANYTHING)
def test_every_text_can_be_stored(value: str) -> None:
    stored = text(value)
    assert "\0" not in stored
    assert stored.encode("utf-8").decode("utf-8") == stored


def test_names_of_the_spec_stay_as_they_are() -> None:
    names = ("quality/purity.random_init", "training/loss", "density/matched ratio", "größe")
    assert tuple(map(key_name, names)) == names


def test_a_cut_text_has_exactly_the_longest_length() -> None:
    assert cut("a" * 6, longest=6, rest="...") == "aaaaaa"
    assert cut("a" * 7, longest=6, rest="...") == "aaa..."


def test_params_are_spelled_as_in_yaml() -> None:
    params = flatten({"a": {"b": None, "c": True, "d": 1e-4, "e": [], "f": {}, "g": ["x", 1]}, "h": "no"})
    assert params == {
        "a.b": "null",
        "a.c": "true",
        "a.d": "0.0001",
        "a.e": "[]",
        "a.f": "{}",
        "a.g": '["x", 1]',
        "h": "no",
    }
    assert flatten({}) == {}


def test_a_list_of_maps_is_numbered() -> None:
    assert flatten({"controls": [{"kind": "random_init", "draws": 3}, "x"]}) == {
        "controls.0.kind": "random_init",
        "controls.0.draws": "3",
        "controls.1": "x",
    }


def test_params_are_cut_where_mlflow_would_cut_them() -> None:
    short = shorten({"fits": "x" * 6000, "long": "x" * 6001})
    assert short["fits"] == "x" * 6000
    assert len(short["long"]) == 6000
    assert short["long"].endswith("(whole: spec/params.json)")
