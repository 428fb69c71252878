"""What a page has on the site alone: navigation, and references made from the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from kinds_in_markdown import family_in_markdown
from notebooks_in_markdown import notebook_in_markdown

_LINK = re.compile(r"\]\(([^)#\s:]+\.md)[)#]")
_GROUP = re.compile(r"^\*\*(.*)\*\*$")
_MARK = re.compile(r"^<!-- on the site: (kinds|api|notebook) (\S+) -->$", re.MULTILINE)
_ALL_PAGES = "docs/README.md"


def expanded(text: str, *, page: Path, root: Path) -> str:
    """A page's Markdown with what its marks ask for, and an index's with its navigation.

    A mark is a comment on a line of its own: `<!-- on the site: kinds FAMILY -->`, or `api MODULE`, or
    `notebook FILE`, a path from the page.

    Raises:
        UnknownKindError: there is no such family.
        OSError: there is no such notebook.
    """

    def made(mark: re.Match[str]) -> str:
        what, name = mark.groups()
        if what == "kinds":
            return family_in_markdown(name)
        if what == "notebook":
            return notebook_in_markdown(page.parent / name)
        return f"```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```\n"

    text = _MARK.sub(made, text)
    if page == root / "README.md":
        trees: Iterable[str] = chain(
            _trees(root / _ALL_PAGES, root=root), ["```{toctree}\n:hidden:\n\n/docs/README\n```"]
        )
    elif page.name == "README.md" and page != root / _ALL_PAGES:
        trees = _trees(page, root=root, below=page.parent)
    else:
        trees = ()
    return "\n\n".join([text, *trees])


def _trees(index: Path, *, root: Path, below: Path | None = None) -> Iterator[str]:
    """A tree for each group of an index, which are links under a bold line; of pages below a folder alone."""
    groups: dict[str, list[str]] = {"": []}
    for line in index.read_text(encoding="utf-8").splitlines():
        if heading := _GROUP.match(line):
            groups[heading[1]] = []
        pages = groups[list(groups)[-1]]
        for target in _LINK.findall(line):
            path = (index.parent / target).resolve()
            if below is None or path.is_relative_to(below):
                pages.append("/" + path.relative_to(root).with_suffix("").as_posix())
    for caption, pages in groups.items():
        own = [each for each in dict.fromkeys(pages) if each != "/README"]
        if own:
            named = [f":caption: {caption}"] if caption else []
            yield "\n".join(["```{toctree}", ":hidden:", *named, "", *own, "```"])
