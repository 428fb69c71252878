"""What pydantic found wrong, in plain words and with the place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from polylens.catalog import in_words
from polylens.errors import Problem, nearest
from polylens.plugin import Plugin
from polylens.spec.expanding import Expansion, options, used_note
from polylens.spec.ledger import Ledger, Path, Value, dotted_path

_OWN_WORDS = frozenset(get_args(ErrorType)) - {"value_error", "assertion_error"}
"""Errors whose text is pydantic's and not written by a kind's own check."""


def problems_of(
    error: ValidationError, value: Value, *, path: Path, expansion: Expansion, ledger: Ledger
) -> Iterator[Problem]:
    """The problems of one validated value, one a path.

    Args:
        error: what validating the value's plain data raised.
        value: the value, with its places.
        path: where in the spec the value stands.
        expansion: what was found when its names were looked up.
        ledger: the ledger of `value`.
    """
    writer = _Writer(value, path, expansion, ledger)
    problem_at: dict[Path, Problem] = {}
    vague: set[Path] = set()
    for details in error.errors(include_url=False):
        inner, left = writer.follow(details["loc"])
        whole = (*path, *inner, *left)
        if any(whole[: len(spoiled)] == spoiled for spoiled in expansion.spoiled):
            continue
        vague |= {whole[:depth] for depth in range(len(whole))}
        # Members of a union complain one by one about the same value.
        problem_at.setdefault(whole, writer.problem(details, inner, left))
    misspelt = {
        (*whole[:-1], problem.suggestion) for whole, problem in problem_at.items() if problem.suggestion
    }
    for whole, problem in problem_at.items():
        if whole in misspelt and problem.message.startswith("missing"):
            continue
        # What one member says of an item is more exact than what another says of the list.
        if whole not in vague or not problem.message.startswith(f"{indexed_path(whole)} must "):
            yield problem


class _Writer:
    def __init__(self, value: Value, path: Path, expansion: Expansion, ledger: Ledger) -> None:
        self.value = value
        self.path = path
        self.expansion = expansion
        self.ledger = ledger

    def follow(self, loc: Sequence[str | int]) -> tuple[Path, Path]:
        """The part of an error's path that is in the file, and a last key that is missing from it.

        Names of union members stand in the error's path and not in the file: they are stepped over.
        """
        node = self.value
        path: list[str] = []
        for number, part in enumerate(loc):
            if isinstance(node, int):
                break
            if str(part) in node:
                path.append(str(part))
                node = node[str(part)]
            elif number == len(loc) - 1 and str(part) in self._fields((*self.path, *path)):
                return tuple(path), (str(part),)
        return tuple(path), ()

    def problem(self, details: ErrorDetails, inner: Path, left: Path) -> Problem:
        match details["type"]:
            case "missing" if left:
                return self._missing_problem(inner, left[0])
            case "extra_forbidden" if inner:
                return self._unknown_key(inner)
            case kind if kind in _OWN_WORDS:
                return self._wrong_value(details, inner)
        message = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        return self._at(inner, f"{self._owner((*self.path, *inner))}: {message}", key=True)

    def _missing_problem(self, inner: Path, name: str) -> Problem:
        owner = (*self.path, *inner)
        about = self._fields(owner)[name].description or ""
        notes = (f"{name}: {about}",) if about else ()
        problem = self._at(inner, f"missing key '{name}' in {self._owner(owner)}", key=True, notes=notes)
        return Problem(problem.message, problem.place, dotted_path((*owner, name)), None, problem.notes)

    def _unknown_key(self, inner: Path) -> Problem:
        owner, name = (*self.path, *inner[:-1]), inner[-1]
        known = sorted(self._fields(owner))
        notes = (f"allowed: {', '.join(known)}",) if known else ("it takes no keys besides 'kind'",)
        message = f"unknown key '{name}' in {self._owner(owner)}"
        return self._at(inner, message, key=True, suggestion=nearest(name, known), notes=notes)

    def _wrong_value(self, details: ErrorDetails, inner: Path) -> Problem:
        whole = (*self.path, *inner)
        annotation, metadata = self._annotation(whole)
        given = self.ledger.plain(self._value_at(inner))
        if annotation is None:
            message = f"{indexed_path(whole)}: {details['msg'].replace('Input should', 'should')}"
            return self._at(inner, message)
        if details["type"] == "string_too_short" and given == "":
            return self._at(inner, f"{indexed_path(whole)} is empty")
        words = in_words(annotation, metadata=metadata)
        if details["type"] in ("too_short", "too_long") and isinstance(given, (list, dict)):
            items = "item" if _limit(details) == 1 else "items"
            bound = "at least" if details["type"] == "too_short" else "at most"
            message = f"{indexed_path(whole)} must have {bound} {_limit(details)} {items}, not {len(given)}"
            return self._at(inner, message)
        choices = [choice for choice in _choices(annotation) if isinstance(choice, str)]
        near = nearest(given, choices) if isinstance(given, str) else None
        return self._at(
            inner, f"{indexed_path(whole)} must be {words}, not {in_plain_words(given)}", suggestion=near
        )

    def _at(
        self,
        inner: Path,
        message: str,
        *,
        key: bool = False,
        suggestion: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> Problem:
        whole = (*self.path, *inner)
        place = self.ledger.place(self._value_at(inner), key=key)
        notes = (*notes, *used_note(whole, place, self.expansion))
        return Problem(message, place, dotted_path(whole), suggestion, notes)

    def _value_at(self, inner: Path) -> Value:
        node = self.value
        for part in inner:
            assert isinstance(node, dict)  # `follow` walked this path
            node = node[part]
        return node

    def _owner(self, path: Path) -> str:
        cls = self.expansion.classes.get(path)
        kind = f" ({cls.kind()})" if cls is not None and issubclass(cls, Plugin) else ""
        return f"{indexed_path(path)}{kind}"

    def _fields(self, path: Path) -> Mapping[str, Any]:
        cls = self.expansion.classes.get(path)
        return {} if cls is None else cls.model_fields

    def _annotation(self, path: Path) -> tuple[Any, Sequence[Any]]:
        """The type that a path's value must have, from the class of the nearest map above."""
        for depth in range(len(path) - 1, -1, -1):
            info = self._fields(path[:depth]).get(path[depth])
            if info is not None:
                return _inner_type(info.annotation, info.metadata, path[depth + 1 :])
        return None, ()


def _inner_type(annotation: Any, metadata: Sequence[Any], rest: Path) -> tuple[Any, Sequence[Any]]:
    for part in rest:
        for option in options(annotation):
            origin, arguments = get_origin(option), get_args(option)
            if origin is dict:
                annotation, metadata = arguments[1], ()
                break
            if origin in (tuple, list) and arguments:
                several = arguments[-1] is not Ellipsis and part.isdecimal() and int(part) < len(arguments)
                annotation, metadata = arguments[int(part) if several else 0], ()
                break
        else:
            return None, ()
    return annotation, metadata


def _limit(details: ErrorDetails) -> int:
    context = details.get("ctx", {})
    return int(context.get("min_length", context.get("max_length", 0)))


def _choices(annotation: Any) -> list[Any]:
    return [
        value for option in options(annotation) if get_origin(option) is Literal for value in get_args(option)
    ]


def in_plain_words(value: Any) -> str:
    """A wrong value as it is named in an error.

    >>> in_plain_words("five"), in_plain_words(1.5), in_plain_words(None)
    ("the text 'five'", '1.5', 'null')
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text '{value if len(value) <= 60 else value[:57] + '...'}'"
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            return "a map"
    return str(value)


def indexed_path(path: Path) -> str:
    """A path with list indexes in brackets.

    >>> indexed_path(("sampling", "at", "0"))
    'sampling.at[0]'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if part.isdecimal() else f".{part}" if text else part
    return text
