"""What pictures and pages look like: a digest of the sources that make them.

Numbers have versions that a person raises. Looks have none: a picture is named by the code that draws it, so
that a changed title or template is seen by the next run, and nothing else is done again.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_DRAWING = ("analyses", "figures", "scores", "statistics", "wording")
"""Rooms that pictures are made in: what a kind's source imports of them is followed."""
_GALLERIES = ("polylens.study.cards", "polylens.study.drawing", "polylens.study.subject")
"""What is drawn of every kind that gives clusters, and every caption's last sentence."""
_WRITING = ("figures", "report", "study", "wording")


def looks_of_figures(kind: type) -> str:
    """Digest of the sources that draw an analysis or a score: its kind's, and all that these import of rooms.

    Args:
        kind: its class, of this program or of another package.
    """
    return _digest((kind.__module__, *_GALLERIES), _DRAWING)


def looks_of_pages(module: str) -> str:
    """Digest of a page's sources: the module that puts it together, what it imports, and the templates."""
    return _digest((module,), _WRITING)


@cache
def _digest(modules: Sequence[str], rooms: Sequence[str]) -> str:
    sources = hashlib.sha256()
    for file in sorted(_files(modules, rooms), key=lambda file: (file.parent.name, file.name)):
        sources.update(f"{file.parent.name}/{file.name}".encode() + b"\0" + file.read_bytes() + b"\0")
    return sources.hexdigest()[:16]


def _files(modules: Iterable[str], rooms: Sequence[str]) -> set[Path]:
    """Files of modules, and of all that they import, directly or not, of these rooms or their own package."""
    files: set[Path] = set()
    waiting = [*modules]
    own = {module.partition(".")[0] for module in waiting} - {"polylens"}
    while waiting:
        module = waiting.pop()
        file = _file(module)
        if file is None or file in files:
            continue
        files.add(file)
        if "report" in module.split("."):
            files.update(path for path in file.parent.iterdir() if path.suffix in (".html", ".css", ".js"))
        waiting += [
            name
            for name in _imports(module, file)
            if _is_followed(name, rooms) or name.partition(".")[0] in own
        ]
    return files


def _is_followed(module: str, rooms: Sequence[str]) -> bool:
    head, _, rest = module.partition(".")
    return head == "polylens" and rest.partition(".")[0] in rooms


def _imports(module: str, file: Path) -> Iterator[str]:
    """Modules that a source imports anywhere; a name that a package passes on leads to where it is made."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, module, file)
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if _file(inner) is not None else _names_passed_on(source).get(alias.name, source)


def _absolute(node: ast.ImportFrom, module: str, file: Path) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    base = parts[: len(parts) - node.level + (file.name == "__init__.py")]
    return ".".join([*base, *([node.module] if node.module else [])])


@cache
def _names_passed_on(package: str) -> dict[str, str]:
    """Names that a package takes from its own modules, and from which."""
    file = _file(package)
    if file is None or file.name != "__init__.py":
        return {}
    return {
        alias.asname or alias.name: node.module
        for node in _tree(file).body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{package}.")
        for alias in node.names
    }


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


@cache
def _file(module: str) -> Path | None:
    """The source of a module, found without importing it; None where there is none."""
    head, *rest = module.split(".")
    if head == "polylens":
        top = _PACKAGE
    else:
        loaded = getattr(sys.modules.get(head), "__file__", None)
        if loaded is None:
            return None
        top = Path(loaded)
        if top.name != "__init__.py":
            return None if rest else top
        top = top.parent
    path = top.joinpath(*rest)
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)
