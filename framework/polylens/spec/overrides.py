"""`--set a.b=c`, and the same laying of one value at a path for the points of a sweep."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from polylens.errors import Place, Problem, SpecError, nearest
from polylens.reading import read_value
from polylens.spec.experiment import NAMED
from polylens.spec.ledger import MARK, Ledger, Path, Tree, Value, Written, at, dotted_path, items_of
from polylens.spec.merging import merge

SET = "--set"
"""What stands for the file where a place is in an override."""
_PART = re.compile(r"[^.\[\]]+|\[\d+\]")
_PATH = re.compile(r"[^.\[\]]+(\.[^.\[\]]+|\[\d+\])*")


@dataclass(frozen=True)
class Assignment:
    """One value for one path."""

    path: Path
    keys: tuple[Place, ...]
    """Where each part of the path is written."""
    value: Value


def read_override(text: str, *, ledger: Ledger) -> Assignment:
    """The assignment in `a.b=c`.

    Raises:
        SpecError: not of this form, or the value is not one plain value.
    """
    written, equals, value = text.partition("=")
    key = written.strip()
    whole = Place(file=SET, line=1, column=1, text=text, length=max(len(written), 1))
    if not equals:
        raise SpecError([Problem("an override has the form key=value", whole, notes=("for example seed=1",))])
    if not _PATH.fullmatch(key):
        note = "for example analyses.clusters.min_cluster_size=8 or layer.0=input"
        raise SpecError([Problem(f"'{key}' is no dotted key", whole, notes=(note,))])
    matches = list(_PART.finditer(written))
    spans = [(match[0].strip().strip("[]"), match.start(), match.end()) for match in matches]
    spans = _with_swept_key_whole(spans, key)
    path = tuple(part for part, _, _ in spans)
    if path[0] == "extends":
        raise SpecError([Problem("extends cannot be overridden", whole)])
    keys = tuple(replace(whole, column=start + 1, length=end - start) for _, start, end in spans)
    document = read_value(value, line=text, column=len(written) + 2)
    return Assignment(path, keys, ledger.tree(replace(document.root, key=keys[-1])))


def assign(tree: Tree, assignment: Assignment, *, ledger: Ledger) -> Tree:
    """The tree with one value laid at its path.

    Raises:
        SpecError: the path leads through a list item or a name that is not there.
    """
    _check(tree, assignment, ledger=ledger)
    laid: Value = assignment.value
    for depth in reversed(range(len(assignment.path))):
        laid = {assignment.path[depth]: laid}
        above = assignment.path[:depth]
        if above and at(tree, above) is None:
            # A map that only the override makes stands where the override names it.
            key = assignment.keys[depth - 1]
            laid[MARK] = ledger.note(Written(None, "map", key, key))
    assert isinstance(laid, dict)  # a path has at least one part
    return merge(tree, laid, ledger=ledger)


def _check(tree: Tree, assignment: Assignment, *, ledger: Ledger) -> None:
    node: Value | None = tree
    path = assignment.path
    for depth, part in enumerate(path):
        if node is None or isinstance(node, int):
            return
        known = [key for key, _ in items_of(node)]
        if ledger.shape(node) == "list":
            if part not in known:
                _refuse(
                    assignment,
                    depth,
                    f"{dotted_path(path[:depth])} is a list of {len(known)}",
                    _indexes(known),
                )
        elif depth == 1 and path[0] in NAMED and len(path) > 2 and part not in known:
            notes = (f"there: {', '.join(known)}",)
            _refuse(assignment, depth, f"no '{part}' in {path[0]}", notes, suggestion=nearest(part, known))
        node = node.get(part)


def _refuse(
    assignment: Assignment, depth: int, message: str, notes: Sequence[str], *, suggestion: str | None = None
) -> None:
    place, path = assignment.keys[depth], dotted_path(assignment.path)
    raise SpecError([Problem(message, place, path=path, suggestion=suggestion, notes=tuple(notes))])


def _indexes(known: Sequence[str]) -> tuple[str, ...]:
    return (f"items are counted from 0: {', '.join(known)}" if known else "it has no items to change",)


def _with_swept_key_whole(spans: list[tuple[str, int, int]], key: str) -> list[tuple[str, int, int]]:
    """Keys under `sweep` are dotted themselves: all that follows is one key."""
    outer = 2 if [part for part, _, _ in spans[:2]] == ["sweep", "zip"] else 1
    if spans[0][0] != "sweep" or len(spans) <= outer + 1:
        return spans
    start, end = spans[outer][1], spans[-1][2]
    name = ".".join(part for part, _, _ in spans[outer:])
    return [*spans[:outer], (name, start, end)]
