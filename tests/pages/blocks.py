"""Examples in pages: every block of code with what is said of it.

A block that is not run says why in a comment on the line before it: `<!-- not run: takes minutes -->`. One
whose first line is a comment with a path is a file of the folder that all pages share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TUTORIAL = [
    REPOSITORY / "docs" / "tutorial" / f"{name}.md"
    for name in (
        "README",
        "first-spec",
        "reading-results",
        "own-images",
        "own-network",
        "own-sampling-rule",
        "own-analysis",
    )
]
OTHERS = sorted(
    page
    for pattern in ("*.md", "docs/*.md", "docs/guide/*.md", "docs/notebooks/*.md", "benchmarks/*.md")
    for page in REPOSITORY.glob(pattern)
)
_FENCE = re.compile(r"(?:^<!-- not run: ([^\n]+) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w./-]+\.(?:py|yaml|toml))\n")


@dataclass(frozen=True)
class Command:
    """One command, and the lines that it is said to print."""

    words: str
    printed: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """One block of code of a page."""

    page: Path
    line: int
    language: str
    text: str
    why_not: str
    """Why it is not run; empty where it is."""
    printed: tuple[str, ...] = ()
    """Of Python: the lines of the block of text right behind it."""

    @property
    def file(self) -> str:
        """The path that its first line names; empty where it is no file."""
        match = _FILE.match(self.text)
        return match[1] if match else ""

    def commands(self) -> Iterator[Command]:
        """The commands of a console."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            words, *printed = part.rstrip().splitlines()
            yield Command(words, tuple(printed))


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    matches = list(_FENCE.finditer(text))
    made = []
    for at, match in enumerate(matches):
        why_not, language, code = match.groups()
        behind = matches[at + 1] if at + 1 < len(matches) else None
        is_answered = (
            behind is not None and behind[2] == "text" and text[match.end() : behind.start()].isspace()
        )
        printed = tuple(behind[3].splitlines()) if behind is not None and is_answered else ()
        line = text[: match.start(3)].count("\n") + 1
        made.append(Block(page, line, language, code, why_not or "", printed))
    return made


def prose(page: Path) -> str:
    """A page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
