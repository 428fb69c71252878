"""Trees of tokens: the shape of a spec with every value replaced by a number in a ledger.

Specs are merged from several files, registry entries and overrides, and every value must still know where it
was written. So each value goes into a ledger with its place, and merging moves only the numbers. What is then
merged is a plain map of maps of integers, in which OmegaConf finds nothing to interpret, neither `${...}` nor
`???`.

A list is a map from "0", "1", ... that is marked as a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from polylens.errors import Place
from polylens.reading import Node, Plain, Scalar

Tree = dict[str, "Tree | int"]
Value = Tree | int
Path = tuple[str, ...]
Shape = Literal["scalar", "map", "list"]

MARK = ""
"""The key under which a map or list keeps its own token; the reader refuses it in files."""


@dataclass(frozen=True)
class Written:
    """One value as it was written somewhere."""

    value: Scalar
    """None for maps and lists, whose parts have tokens of their own."""
    shape: Shape
    place: Place
    key: Place | None


class Ledger:
    """All values of one load, numbered as they come."""

    def __init__(self) -> None:
        self._written: list[Written] = []
        self._bare: set[int] = set()

    def __getitem__(self, token: int) -> Written:
        return self._written[token]

    def note(self, written: Written) -> int:
        """A new token for a written value."""
        self._written.append(written)
        return len(self._written) - 1

    def tree(self, node: Node) -> Value:
        """The tokens of a value that was read."""
        if not isinstance(node.value, (dict, list)):
            return self.note(Written(node.value, "scalar", node.place, node.key))
        shape: Shape = "map" if isinstance(node.value, dict) else "list"
        tree: Tree = {MARK: self.note(Written(None, shape, node.place, node.key))}
        items = node.value.items() if isinstance(node.value, dict) else enumerate(node.value)
        return tree | {str(key): self.tree(item) for key, item in items}

    def use_map(self, token: int) -> Tree:
        """A bare name as the map `{use: name}`."""
        self._bare.add(token)
        return {MARK: self.note(replace(self[token], value=None, shape="map")), "use": token}

    def without_bare_use(self, value: Value) -> Value:
        """A map that was laid over a bare text, without the `use` that the text had become.

        Only in families is a text a name to build on; elsewhere the map replaces it.
        """
        if isinstance(value, int) or value.get("use") not in self._bare:
            return value
        return {key: item for key, item in value.items() if key != "use"}

    def as_map(self, token: int) -> int:
        """A new token, of a map in the same place as the list that `token` marks."""
        return self.note(replace(self[token], shape="map"))

    def with_key(self, value: Value, key: Place) -> Value:
        """The value under a new token, which says that its key is written at `key`."""
        if isinstance(value, int):
            return self.note(replace(self[value], key=key))
        mark = value[MARK]
        assert isinstance(mark, int)  # what was read from a file has a mark
        return {**value, MARK: self.note(replace(self[mark], key=key))}

    def shape(self, value: Value) -> Shape:
        """Whether a value is a scalar, a map or a list."""
        if isinstance(value, int):
            return "scalar"
        mark = value.get(MARK)
        return self[mark].shape if isinstance(mark, int) else "map"

    def text(self, value: Value | None) -> str | None:
        """The text that a value is; None if it is anything else."""
        plain = self[value].value if isinstance(value, int) else None
        return plain if isinstance(plain, str) else None

    def plain(self, value: Value) -> Plain:
        """The plain data of a tree."""
        if isinstance(value, int):
            return self[value].value
        if self.shape(value) == "list":
            return [self.plain(item) for _, item in items_of(value)]
        return {key: self.plain(item) for key, item in items_of(value)}

    def place(self, value: Value, *, key: bool = False) -> Place | None:
        """The place of a value in its file; with `key` that of its key, where it has one."""
        if isinstance(value, int):
            written = self[value]
            return written.key if key and written.key is not None else written.place
        # A map that came to be through `--set a.b=c` has no mark: it stands where its first part does.
        inner = value.get(MARK, next(iter(value.values()), None))
        return None if inner is None else self.place(inner, key=key)


def items_of(tree: Tree) -> Iterator[tuple[str, Value]]:
    """The parts of a map or list without its mark."""
    return ((key, item) for key, item in tree.items() if key != MARK)


def at(value: Value, path: Path) -> Value | None:
    """The part of a tree at a path; None where there is none."""
    for part in path:
        if isinstance(value, int) or part not in value:
            return None
        value = value[part]
    return value


def dotted_path(path: Path) -> str:
    """A path as it is written in `--set` and in errors.

    >>> dotted_path(("sampling", "at", "0"))
    'sampling.at.0'
    """
    return ".".join(path)
