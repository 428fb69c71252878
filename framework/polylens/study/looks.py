"""What pictures and pages look like: a digest of the sources that make them.

Numbers have versions that a person raises. Looks have none: a picture is named by the code that draws it, so
that a changed title or template is seen by the next run, and nothing else is done again.
"""

from __future__ import annotations

import hashlib
import re
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
_COMMENT = re.compile("#.*")
_IMPORT = re.compile(
    r"(?:^|[;:])[ \t]*"
    r"(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(?:\(([^)]*)\)|([\w, \t*]+))|import[ \t]+([\w., \t]+))",
    re.MULTILINE,
)


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
    for source, names in _statements(file):
        if not names:
            yield source
            continue
        package = _absolute(source, module, file)
        for name in names:
            inner = f"{package}.{name}"
            yield inner if _file(inner) is not None else _names_passed_on(package).get(name, package)


def _absolute(source: str, module: str, file: Path) -> str:
    name = source.lstrip(".")
    level = len(source) - len(name)
    if not level:
        return name
    parts = module.split(".")
    base = parts[: len(parts) - level + (file.name == "__init__.py")]
    return ".".join([*base, *([name] if name else [])])


@cache
def _names_passed_on(package: str) -> dict[str, str]:
    """Names that a package takes from its own modules, and from which."""
    file = _file(package)
    if file is None or file.name != "__init__.py":
        return {}
    return {
        known: source
        for source, names in _statements(file)
        if source.startswith(f"{package}.")
        for known in names.values()
    }


@cache
def _statements(file: Path) -> Sequence[tuple[str, dict[str, str]]]:
    """Every import of a source: from where, and its names with the names they get; of `import x`, none.

    Found by their form, ten times as fast as by a parser: what a text only quotes counts too, and what is
    followed without need draws a picture once more.
    """
    text = file.read_text("utf-8", errors="replace").replace("\\\n", " ")
    found: list[tuple[str, dict[str, str]]] = []
    for source, in_brackets, in_line, modules in _IMPORT.findall(_COMMENT.sub("", text)):
        words = [each.split() for each in (in_brackets or in_line or modules).split(",") if each.strip()]
        if modules:
            found += [(each[0], {}) for each in words]
        else:
            found.append((source, {each[0]: each[-1] for each in words}))
    return found


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
