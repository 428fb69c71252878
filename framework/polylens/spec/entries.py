"""A registry entry checked by itself: its kind, its keys, and the names it uses."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from pydantic import ValidationError

from polylens.catalog import Catalog, Entry, Shelf
from polylens.errors import Problem, SpecError, shown_path
from polylens.plugin import load_kind
from polylens.reading import Node
from polylens.spec.complaints import problems_of
from polylens.spec.expanding import expand
from polylens.spec.extending import read_spec_file
from polylens.spec.ledger import Ledger


def check_entry(path: Path) -> Entry:
    """The registry entry in a file `registry/FAMILY/NAME.yaml`, with everything in it checked.

    Raises:
        SpecError: anything is wrong; carries every problem with its place.
    """
    family, name = path.parent.name, path.stem
    read_spec_file(path)
    registry = path.resolve().parents[1]
    around = Catalog.around(path)
    catalog = Catalog((Shelf(registry, shown_path(registry)), *around.shelves))
    entry = catalog.entry(family, name)
    ledger = Ledger()
    written = entry.document.root.value
    value = ledger.tree(cast("dict[str, Node]", written)["entry"])
    tree, expansion = expand(value, family=family, path=("entry",), catalog=catalog, ledger=ledger)
    problems: list[Problem] = list(expansion.problems)
    if not expansion.spoiled:
        try:
            load_kind(family, entry.kind).model_validate(ledger.plain(tree))
        except ValidationError as error:
            problems += problems_of(error, tree, path=("entry",), expansion=expansion, ledger=ledger)
    if problems:
        raise SpecError(problems)
    return entry
