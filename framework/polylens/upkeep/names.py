"""Whether all is well with what specs can name: registries, kinds of other packages, the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from polylens.errors import PolylensError
from polylens.upkeep.check import Check


def examine_names(folder: Path) -> Iterator[Check]:
    """Everything about names that is worth looking at.

    Args:
        folder: from which registries are looked for.
    """
    yield _registry(folder)
    yield from _kinds()
    yield _schema(folder)


def _registry(folder: Path) -> Check:
    from polylens.catalog import Catalog
    from polylens.plugin import FAMILIES

    broken = []
    catalog = Catalog.around(folder)
    names = [(family, name) for family in FAMILIES for name in catalog.names(family)]
    for family, name in names:
        try:
            catalog.entry(family, name)
        except PolylensError:
            broken.append(f"{family}/{name}")
    if broken:
        said = f"entries that cannot be read: {', '.join(broken)}"
        return Check("problem", "registry", said, "`polylens validate registry/FAMILY` says what is wrong")
    return Check("ok", "registry", f"{len(names)} entries can be named in specs")


def _kinds() -> Iterator[Check]:
    """Whether the kinds of other packages can be had, and keep to what all kinds promise."""
    from polylens.catalog import broken_promises, heavy_imports
    from polylens.plugin import kinds_of_packages, packages

    given = kinds_of_packages()
    if not given:
        yield Check("ok", "kinds", "no other package gives any")
        return
    whole: list[tuple[str, str]] = []
    guide = "docs/guide/kinds.md says what every kind keeps to"
    for family, kind in given:
        try:
            broken = broken_promises(family, kind)
        except PolylensError as error:
            yield Check("problem", f"{family}/{kind}", error.message, error.hint or "")
            continue
        whole.append((family, kind))
        if broken:
            yield Check("warning", f"{family}/{kind}", "; ".join(broken), guide)
    for name, modules in heavy_imports(whole).items():
        said = f"its file imports {', '.join(modules)}, which takes long whenever a spec is checked"
        yield Check("warning", name, said, "import it inside of the methods that need it")
    yield Check("ok", "kinds", f"{len(given)} of other packages: {', '.join(map(str, packages()))}")


def _schema(folder: Path) -> Check:
    """Whether editors check specs by what can be named here now."""
    import json

    from polylens.catalog import Catalog, project_registry
    from polylens.spec.schema import schemas

    registry = project_registry(folder)
    place = None if registry is None else registry / "schema"
    if place is None or not place.is_dir():
        return Check("ok", "schema", "none here; `polylens schema` writes one for editors")
    for name, schema in schemas(Catalog.around(folder)).items():
        try:
            same = json.loads((place / name).read_bytes()) == json.loads(json.dumps(schema))
        except (OSError, ValueError):
            same = False
        if not same:
            said = f"{place / name} is not what can be named here now"
            return Check("warning", "schema", said, "`polylens schema` writes it anew")
    return Check("ok", "schema", f"{place}, up to date")
