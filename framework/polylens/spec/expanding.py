"""Registry names and `{use: ...}` replaced by what they stand for, as deep as kinds nest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel

from polylens.catalog import SINGULAR, Catalog, Entry, UnknownEntryError, with_article
from polylens.errors import Place, Problem, SpecError, nearest
from polylens.plugin import Plugin, UnknownKindError, kinds, load_kind
from polylens.spec.ledger import MARK, Ledger, Path, Tree, Value, at, dotted_path, items_of
from polylens.spec.merging import merge


@dataclass
class Expansion:
    """What was found while names were looked up."""

    problems: list[Problem] = field(default_factory=list)
    spoiled: list[Path] = field(default_factory=list)
    """Paths whose value could not be made out; what stands below is not worth another complaint."""
    classes: dict[Path, type[BaseModel]] = field(default_factory=dict)
    """The class that reads the map at each path."""
    named_at: dict[Path, tuple[Place, str]] = field(default_factory=dict)
    """Where the registry name of the value at a path is written, and the entry's file."""


def expand(
    value: Value, *, family: str, path: Path, catalog: Catalog, ledger: Ledger
) -> tuple[Value, Expansion]:
    """One family value with every registry name in it replaced."""
    expander = _Expander(catalog=catalog, ledger=ledger)
    return expander.member(value, family=family, path=path), expander.expansion


def display_name(value: Value, *, ledger: Ledger) -> str | None:
    """What people call a family value: its registry name, or else its kind."""
    if isinstance(value, int):
        return ledger.text(value)
    return ledger.text(value.get("use")) or ledger.text(value.get("kind"))


class _Expander:
    def __init__(self, *, catalog: Catalog, ledger: Ledger) -> None:
        self.catalog = catalog
        self.ledger = ledger
        self.expansion = Expansion()
        self._open: list[tuple[str, str]] = []

    def member(self, value: Value, *, family: str, path: Path) -> Value:
        """A value where one member of a family is expected."""
        if isinstance(value, int):
            name = self.ledger.text(value)
            if name is None:
                return value
            return self._expand_name(name, value, over=None, family=family, path=path)
        if self.ledger.shape(value) == "list":
            return value
        if "use" in value and "kind" in value:
            note = "use takes a registry entry, kind writes one out"
            return self._spoil(value, path, "write either 'use' or 'kind'", at_part="kind", notes=(note,))
        if "use" in value:
            return self._expand_use(value, family=family, path=path)
        return self._expand_written_out(value, family=family, path=path)

    def _expand_use(self, value: Tree, *, family: str, path: Path) -> Value:
        name, token = self.ledger.text(value["use"]), value["use"]
        if name is None or not isinstance(token, int):
            return self._spoil(value, path, f"'use' must be the name of a {SINGULAR[family]}", at_part="use")
        over = {key: item for key, item in value.items() if key != "use"}
        return self._expand_name(name, token, over=over, family=family, path=path)

    def _expand_name(self, name: str, token: int, *, over: Tree | None, family: str, path: Path) -> Value:
        place = self.ledger[token].place
        if (family, name) in self._open:
            circle = " -> ".join(entry for _, entry in [*self._open, (family, name)])
            self._refuse(path, "registry entries name each other in a circle", place, notes=(circle,))
            return token
        try:
            entry = self.catalog.entry(family, name)
        except UnknownEntryError as error:
            self._unknown_entry(error, path, place)
            return token
        except SpecError as error:
            self.expansion.problems.extend(error.problems)
            self.expansion.spoiled.append(path)
            return token
        self.expansion.named_at[path] = (place, entry.document.file)
        tree = _entry_tree(entry, self.ledger)
        if over is not None:
            # Without overrides of its own, what is wrong with the map is wrong in the registry.
            kept = over if any(True for _ in items_of(over)) else {}
            tree = merge(tree, kept, ledger=self.ledger)
        self._open.append((family, name))
        result = self._expand_written_out(tree, family=family, path=path)
        self._open.pop()
        return result

    def _expand_written_out(self, tree: Tree, *, family: str, path: Path) -> Value:
        name = self.ledger.text(tree.get("kind"))
        if name is None:
            return self._kindless(tree, family=family, path=path)
        try:
            cls = load_kind(family, name)
        except UnknownKindError as error:
            notes = (f"kinds: {', '.join(error.known)}", error.packages_in_words)
            message = f"no kind '{name}' of {SINGULAR[family]}"
            if near := error.suggestion:
                message += f"; did you mean '{near}'?"
            return self._spoil(tree, path, message, at_part="kind", suggestion=near, notes=notes)
        return self._fields(tree, cls, path=path)

    def _kindless(self, tree: Tree, *, family: str, path: Path) -> Value:
        known = ", ".join(kinds(family))
        for key, _ in items_of(tree):
            if near := nearest(key, ("kind", "use")):
                message = f"unknown key '{key}' in {dotted_path(path)}"
                notes = (f"{with_article(SINGULAR[family])} is written out with 'kind', or named with 'use'",)
                return self._spoil(tree, path, message, at_part=key, key=True, suggestion=near, notes=notes)
        message = f"{dotted_path(path)} needs a 'kind' (or a registry name, or 'use')"
        return self._spoil(tree, path, message, key=True, notes=(f"kinds: {known}",))

    def _fields(self, tree: Tree, cls: type[BaseModel], *, path: Path) -> Tree:
        self.expansion.classes[path] = cls
        result = dict(tree)
        for name, info in cls.model_fields.items():
            if name in tree:
                result[name] = self._expand_by_type(tree[name], info.annotation, path=(*path, name))
        return result

    def _expand_by_type(self, value: Value, annotation: Any, *, path: Path) -> Value:
        """A field's value, with the names in it replaced wherever the field's type is a family's class."""
        types = tuple(options(annotation))
        if not any(isinstance(option, type) and issubclass(option, Plugin) for option in types):
            value = self.ledger.without_bare_use(value)
        for option in types:
            origin, arguments = get_origin(option), get_args(option)
            shape = self.ledger.shape(value)
            if isinstance(option, type) and issubclass(option, Plugin):
                if shape == "map" or (isinstance(value, int) and self.ledger.text(value) is not None):
                    return self.member(value, family=option.family, path=path)
            elif isinstance(option, type) and issubclass(option, BaseModel):
                if isinstance(value, dict) and shape == "map":
                    return self._fields(value, option, path=path)
            elif origin in (tuple, list, dict) and isinstance(value, dict):
                wanted = "map" if origin is dict else "list"
                if shape == wanted:
                    inner = arguments[-1] if origin is dict else arguments[0]
                    return {
                        key: item if key == MARK else self._expand_by_type(item, inner, path=(*path, key))
                        for key, item in value.items()
                    }
        return value

    def _unknown_entry(self, error: UnknownEntryError, path: Path, place: Place) -> None:
        message = f"no {SINGULAR[error.family]} named '{error.name}'"
        notes = [f"looked in: {error.search_path}"]
        if error.suggestion:
            message += f"; did you mean '{error.suggestion}'?"
        if error.name in kinds(error.family):
            notes.append(f"'{error.name}' is a kind: write {{kind: {error.name}, ...}}")
        elif not error.suggestion and error.known:
            notes.append(f"there: {', '.join(error.known)}")
        self._refuse(path, message, place, suggestion=error.suggestion, notes=tuple(notes))

    def _spoil(
        self,
        tree: Tree,
        path: Path,
        message: str,
        *,
        at_part: str | None = None,
        key: bool = False,
        suggestion: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> Tree:
        part = tree if at_part is None else tree[at_part]
        place = self.ledger.place(part, key=key)
        self._refuse(path, message, place, suggestion=suggestion, notes=notes)
        return tree

    def _refuse(
        self,
        path: Path,
        message: str,
        place: Place | None,
        *,
        suggestion: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.expansion.spoiled.append(path)
        self.expansion.problems.append(Problem(message, place, dotted_path(path), suggestion, notes))


def options(annotation: Any) -> Iterator[Any]:
    """The types an annotation allows, with unions and metadata taken apart."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from options(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for argument in get_args(annotation):
            yield from options(argument)
    else:
        yield annotation


def place_in_file(tree: Tree, path: Path, *, ledger: Ledger) -> Place | None:
    """The place of a path's key, or of the deepest part of the path that is there."""
    for depth in range(len(path), -1, -1):
        part = at(tree, path[:depth])
        if part is not None:
            return ledger.place(part, key=True)
    return None


def used_note(path: Path, place: Place | None, expansion: Expansion) -> tuple[str, ...]:
    """A note that says where the spec asks for a registry entry, for a problem in the entry's file."""
    for depth in range(len(path), 0, -1):
        name, file = expansion.named_at.get(path[:depth], (None, ""))
        if name is not None and place is not None and place.file == file:
            return (f"used in {name.file}:{name.line}:{name.column}",)
    return ()


def _entry_tree(entry: Entry, ledger: Ledger) -> Tree:
    entries = entry.document.root.value
    assert isinstance(entries, dict)  # `read_entry` checked it
    return cast(Tree, ledger.tree(entries["entry"]))
