"""`extends: other.yaml`: one file laid over another, and that one over the next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from polylens.errors import Place, Problem, SpecError, nearest, shown_path
from polylens.reading import Document, Node, read
from polylens.spec.ledger import Ledger, Tree
from polylens.spec.merging import merge


def read_spec_file(path: Path, *, place: Place | None = None) -> Document:
    """One spec file.

    Args:
        path: the file.
        place: where its name is written, where that is in another file.

    Raises:
        SpecError: it cannot be read, or is no strict YAML.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpecError([_unreadable(path, error, place=place)]) from None
    return read(data, file=shown_path(path))


def lay_over_extended(document: Document, *, path: Path, ledger: Ledger) -> Tree:
    """A document that was read, laid over what it extends, without the `extends` keys.

    Raises:
        SpecError: a file is missing or is no strict YAML, or the files extend each other in a circle.
    """
    chain: list[tuple[Path, Document]] = [(path, document)]
    while (extended := _extended_file(chain[-1][1], beside=chain[-1][0])) is not None:
        target, place = extended
        earlier = [file.resolve() for file, _ in chain]
        if target.resolve() in earlier:
            circle = [file for file, _ in chain][earlier.index(target.resolve()) :]
            names = " -> ".join(shown_path(file) for file in [*circle, target])
            raise SpecError([Problem("extends goes in a circle", place, path="extends", notes=(names,))])
        chain.append((target, read_spec_file(target, place=place)))
    tree: Tree | None = None
    for _, read_document in reversed(chain):
        over = ledger.tree(_without_extends(read_document.root))
        assert isinstance(over, dict)  # `read` gives maps only
        tree = over if tree is None else merge(tree, over, ledger=ledger)
    assert tree is not None
    return tree


def _extended_file(document: Document, *, beside: Path) -> tuple[Path, Place] | None:
    entries = document.root.value
    if not isinstance(entries, dict) or "extends" not in entries:
        return None
    node = entries["extends"]
    if not isinstance(node.value, str) or not node.value:
        note = "for example extends: mlp-clusters.yaml"
        problem = Problem("extends must name one file, relative to this one", node.place, notes=(note,))
        raise SpecError([problem])
    return beside.parent / node.value, node.place


def _without_extends(root: Node) -> Node:
    entries = root.value if isinstance(root.value, dict) else {}
    return Node({key: node for key, node in entries.items() if key != "extends"}, root.place, root.key)


def _unreadable(path: Path, error: OSError, *, place: Place | None) -> Problem:
    if isinstance(error, FileNotFoundError):
        folder = path.parent if path.parent.is_dir() else None
        beside = sorted(file.name for file in folder.glob("*.yaml")) if folder is not None else []
        near = _nearest_file(
            path.name, [name for name in beside if place is None or name != Path(place.file).name]
        )
        notes = () if folder is not None else (f"there is no folder {shown_path(path.parent)}",)
        suggestion = None if near is None or place is None else near
        message = f"no file '{shown_path(path)}'"
        if near is not None and place is None:
            message += f"; did you mean '{shown_path(path.parent / near)}'?"
            suggestion = shown_path(path.parent / near)
        return Problem(message, place, path="extends" if place else "", suggestion=suggestion, notes=notes)
    if isinstance(error, IsADirectoryError):
        return Problem(f"'{shown_path(path)}' is a folder, not a file", place)
    return Problem(f"'{shown_path(path)}' cannot be read: {error.strerror}", place)


def _nearest_file(name: str, beside: Sequence[str]) -> str | None:
    """The file whose name without its ending is most like `name`."""
    stems = {Path(known).stem: known for known in beside}
    near = nearest(Path(name).stem, list(stems))
    return None if near is None else stems[near]
