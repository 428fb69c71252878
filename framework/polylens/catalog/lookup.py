"""Where registry entries are looked for: the project, what polylens ships, and plugins."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from polylens.catalog.entries import Entry, read_entry
from polylens.errors import nearest, shown_path
from polylens.plugin import FAMILIES

BUILT_IN = "polylens (built in)"


@dataclass(frozen=True)
class Shelf:
    """One folder of entries, with a folder a family below it."""

    folder: Path
    shown: str
    """Its name in errors and listings."""

    def names(self, family: str) -> tuple[str, ...]:
        """Names of the entries of a family, in order."""
        return tuple(sorted(path.stem for path in (self.folder / family).glob("*.yaml")))


class UnknownEntryError(LookupError):
    """No shelf has an entry of this name."""

    def __init__(self, family: str, name: str, *, known: tuple[str, ...], search_path: str) -> None:
        self.family = family
        self.name = name
        self.known = known
        self.search_path = search_path
        self.suggestion = nearest(name, known)
        super().__init__(f"no entry '{name}' in {family}; looked in {search_path}")


@dataclass(frozen=True)
class Catalog:
    """Shelves in the order they are looked through; the first that has a name gives it."""

    shelves: tuple[Shelf, ...]

    @classmethod
    def around(cls, start: Path) -> Catalog:
        """The catalog at a file or folder: the nearest `registry/` upwards, polylens's own, plugins'."""
        project = project_registry(start)
        shelves = [] if project is None else [Shelf(project, shown_path(project))]
        own = shipped_folder("registry")
        taken = {shelf.folder.resolve() for shelf in shelves}
        if own is not None and own.resolve() not in taken:
            shelves.append(Shelf(own, BUILT_IN))
        return cls((*shelves, *_plugin_shelves()))

    def names(self, family: str) -> tuple[str, ...]:
        """Names of all entries of a family."""
        return tuple(sorted({name for shelf in self.shelves for name in shelf.names(family)}))

    def entry(self, family: str, name: str) -> Entry:
        """The entry called `name`.

        Raises:
            UnknownEntryError: no shelf has it; carries the nearest name and where was looked.
            SpecError: its file is wrong.
        """
        for shelf in self.shelves:
            if name in shelf.names(family):
                path = shelf.folder / family / f"{name}.yaml"
                return read_entry(path, family=family, shown=shown_path(path))
        raise UnknownEntryError(family, name, known=self.names(family), search_path=self.search_path(family))

    def shelf_of(self, family: str, name: str) -> Shelf | None:
        """The shelf that gives a name."""
        return next((shelf for shelf in self.shelves if name in shelf.names(family)), None)

    def search_path(self, family: str) -> str:
        """The search path of a family, for errors."""
        shown = [
            shelf.shown if shelf.shown.startswith("polylens (") else f"{shelf.shown}/{family}"
            for shelf in self.shelves
        ]
        return ", ".join(shown) or "nowhere: there is no registry"


def shipped_folder(name: str) -> Path | None:
    """A folder that polylens ships (`registry`, `experiments`): in the package, or in its checkout."""
    package = Path(__file__).parents[1]
    checkout = package.parents[1]
    candidates = [package / "shipped" / name]
    if (checkout / "framework" / "polylens").resolve() == package.resolve():
        candidates.append(checkout / name)
    return next((folder for folder in candidates if folder.is_dir()), None)


def project_registry(start: Path) -> Path | None:
    """The nearest `registry/` at a file or folder or above it."""
    here = start.resolve()
    for folder in (here, *here.parents) if here.is_dir() else here.parents:
        registry = folder / "registry"
        if any((registry / family).is_dir() for family in FAMILIES):
            return registry
    return None


@cache
def _plugin_shelves() -> tuple[Shelf, ...]:
    """Folders that entry points of the group `polylens.registry` name, as the packages they lie in."""
    shelves = []
    for point in entry_points(group="polylens.registry"):
        module = importlib.util.find_spec(point.module)
        shelves += [
            Shelf(Path(folder), f"polylens (plugin {point.name})")
            for folder in (module.submodule_search_locations or () if module is not None else ())
        ]
    return tuple(shelves)
