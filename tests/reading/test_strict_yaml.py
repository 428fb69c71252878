"""The strict reader: YAML 1.2 scalars, places, and everything refused, all at once."""

from __future__ import annotations

import pytest

from polylens.errors import SpecError
from polylens.reading import read, read_value


def problems(text: str | bytes) -> list[tuple[int, int, str]]:
    with pytest.raises(SpecError) as caught:
        read(text, file="spec.yaml")
    places = [(problem.place, problem.message) for problem in caught.value.problems]
    return [(place.line, place.column, message) for place, message in places if place is not None]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 0.0001),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("010", 10),
        ("-7", -7),
        ("0o17", 15),
        ("0xff", 255),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("y", "y"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("'1'", "1"),
        ('"no"', "no"),
        ("${seed}", "${seed}"),
        ("???", "???"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = read(f"key: {text}", file="spec.yaml").value
    assert found == {"key": value}
    assert isinstance(found, dict)
    assert type(found["key"]) is type(value)


def test_a_key_without_value_is_null() -> None:
    assert read("key:\nother: 1", file="spec.yaml").value == {"key": None, "other": 1}


def test_on_is_a_key_like_any_other() -> None:
    assert read("on: activation", file="spec.yaml").value == {"on": "activation"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: !!python/object:os.system x", [(1, 4, "tags (!!python/object:os.system)")]),
        ("a: !!str 5", [(1, 4, "tags (!!str)")]),
        ("a: &x 1\nb: *x", [(1, 4, "anchors (&x)"), (2, 4, "aliases (*x)")]),
        ("a: *x", [(1, 4, "aliases (*x)")]),
        ("<<: {a: 1}\nb: 2", [(1, 1, "merge keys")]),
        ("a: 1\nb: 2\na: 3", [(3, 1, "the key 'a' is already given in line 1")]),
        (
            "m:\n  a: 1\n  a: 2\na: 3\na: 4",
            [(3, 3, "already given in line 2"), (5, 1, "already given in line 4")],
        ),
        ("a: 1\n\tb: 2\n\tc: 3", [(2, 1, "a tab"), (3, 1, "a tab")]),
        ("a: 1\n---\nb: 2", [(2, 1, "a file holds one document")]),
        ("%YAML 1.1\n---\na: 1", [(1, 1, "directives")]),
        ("", [(1, 1, "the file is empty")]),
        ("# only a comment\n", [(1, 1, "the file is empty")]),
        ("---\n", [(1, 1, "the file is empty")]),
        ("- a\n- b", [(1, 1, "the file must hold a map")]),
        ("just text", [(1, 1, "the file must hold a map")]),
        ("\ufeffa: 1\na: 2", [(1, 1, "byte order mark"), (2, 1, "already given")]),
        (b"a: 1\nb: \xff", [(2, 4, "not UTF-8")]),
        ("a: \x07", [(1, 4, "unreadable character U+0007")]),
        ("a: x\u2028y", [(1, 5, "unreadable character U+2028")]),
        ("1: a", [(1, 1, "a key must be a name")]),
        ("? [a, b]\n: 1", [(1, 3, "a key must be a name")]),
        ("'': 1", [(1, 1, "a key cannot be empty")]),
        ("a: .inf", [(1, 4, "not a finite number")]),
        ("a: 1e999", [(1, 4, "too large")]),
        (f"a: {'9' * 500}", [(1, 4, "a number of this length")]),
        ("a: 'x\nb: 2", [(1, 4, "a quote is opened here")]),
        ("a: [1, 2\nb: 3", [(2, 2, "a closing bracket is missing")]),
        ("a: b: c", [(1, 5, "':' cannot stand here")]),
        ("a: @x", [(1, 4, "must be quoted")]),
        ("a: 1\nb\nc: 2", [(2, 1, "this line needs a ':'")]),
        ("a:\n  - 1\n b: 2", [(3, 2, "is the indentation right?")]),
        ("a: " + "[" * 60 + "]" * 60, [(1, 1, "nested more than 40 levels")]),
    ],
)
def test_everything_else_in_yaml_is_refused_with_its_place(
    text: str | bytes, expected: list[tuple[int, int, str]]
) -> None:
    found = problems(text)
    assert [(line, column) for line, column, _ in found] == [(line, column) for line, column, _ in expected]
    for (_, _, message), (_, _, part) in zip(found, expected, strict=True):
        assert part in message


def test_all_mistakes_come_at_once_even_with_broken_syntax_behind_them() -> None:
    text = "a: !t 1\na: &x 2\nb: [1\nc: 3"
    assert [line for line, _, _ in problems(text)] == [1, 2, 2, 4]


def test_places_lead_to_keys_and_values() -> None:
    document = read("m:\n  list: [10, {deep: value}]  # comment\n", file="spec.yaml")
    value = document.place(("m", "list", 1, "deep"))
    assert (value.line, value.column, value.length, value.text) == (
        2,
        21,
        5,
        "  list: [10, {deep: value}]  # comment",
    )
    key = document.place(("m", "list"), key=True)
    assert (key.line, key.column, key.length) == (2, 3, 4)


def test_the_place_of_something_missing_is_that_of_what_should_hold_it() -> None:
    document = read("m:\n  a: 1\n", file="spec.yaml")
    assert document.place(("m", "b")).line == 1
    assert document.place(("m", "a", "deeper")).line == 2


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_counted_with_every_line_ending(ending: str) -> None:
    document = read(ending.join(["a: 1", "b: 2", "c: 3"]), file="spec.yaml")
    place = document.place(("c",))
    assert (place.line, place.column, place.text) == (3, 4, "c: 3")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("010", 10),
        ("12:30:45", "12:30:45"),
        ("1e-4", 0.0001),
        ("null", None),
        ('""', ""),
        ("'#1'", "#1"),
        ("[a, {b: 1}]", ["a", {"b": 1}]),
        ("{use: digits-mlp}", {"use": "digits-mlp"}),
        ("${seed}", "${seed}"),
    ],
)
def test_values_of_overrides_are_read_as_strictly_as_a_file(text: str, value: object) -> None:
    assert read_value(text).value == value


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("", 2, "nothing stands after '='"),
        ("a: b", 3, "a map needs braces"),
        ("- a", 3, "a map needs braces"),
        ("5 # five", 3, "'#' starts a comment"),
        ("!!str 5", 3, "tags"),
        ("[1, 2", 8, "closing bracket"),
    ],
)
def test_wrong_values_of_overrides_point_into_the_override(text: str, column: int, part: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_value(text, line=f"k={text}", column=3)
    (problem,) = caught.value.problems
    assert problem.place is not None
    assert (problem.place.file, problem.place.line, problem.place.column) == ("--set", 1, column)
    assert problem.place.text == f"k={text}"
    assert part in problem.message
