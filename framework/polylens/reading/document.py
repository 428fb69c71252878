"""A document that was read: plain data that still knows where each value stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from polylens.errors import Place

Scalar = str | int | float | bool | None
Plain = Scalar | list["Plain"] | dict[str, "Plain"]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Node:
    """One value with the place it stands at, and the place of its key where it has one."""

    value: Scalar | dict[str, Node] | list[Node]
    place: Place
    key: Place | None = None

    def plain(self) -> Plain:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


@dataclass(frozen=True)
class Document:
    """One file (or one `--set` value) as it was read."""

    file: str
    root: Node

    @property
    def value(self) -> Plain:
        """The plain data."""
        return self.root.plain()

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value at `path` stands, or its key; for a path that is not there, its nearest ancestor.

        Args:
            path: keys of maps and indexes of lists, from the top.
            key: the place of the key instead of the value's.
        """
        node = self.root
        for part in path:
            below = _children(node).get(part)
            if below is None:
                return node.key or node.place
            node = below
        return node.key if key and node.key is not None else node.place


def _children(node: Node) -> Mapping[str | int, Node]:
    if isinstance(node.value, dict):
        return dict(node.value.items())
    return dict(enumerate(node.value)) if isinstance(node.value, list) else {}
