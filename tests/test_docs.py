"""The pages in Markdown: every link leads somewhere, every guide is found from the README, versions agree."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
README = REPOSITORY / "README.md"
CHANGELOG = REPOSITORY / "CHANGELOG.md"
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "registry/**/*.md", "experiments/**/*.md")
    for page in REPOSITORY.glob(pattern)
)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)
RELEASE = re.compile(r"^## \[?(\d[^\]\s]*)\]?(.*)$", re.MULTILINE)
FORM = ["Context", "Decision", "Consequences"]


def named(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


@cache
def prose(page: Path) -> str:
    """The page without what is shown as code."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def links(page: Path) -> list[tuple[Path, str]]:
    """Files (and headings in them) of the repository that a page links to."""
    found = []
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        path, _, heading = unquote(target).partition("#")
        found.append(((page.parent / path).resolve() if path else page, heading))
    return found


@cache
def anchors(page: Path) -> set[str]:
    """What a link to a heading of the page is called, as GitHub has it."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    nowhere = [str(target) for target, _ in links(page) if not target.exists()]
    assert not nowhere


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    missing = [
        f"{target.name}#{heading}"
        for target, heading in links(page)
        if heading and target.suffix == ".md" and target.exists() and heading not in anchors(target)
    ]
    assert not missing


def test_every_page_of_the_documentation_is_found_from_the_readme() -> None:
    reached, waiting = {README}, [README]
    while waiting:
        for target, _ in links(waiting.pop()):
            if target.suffix == ".md" and target.is_file() and target not in reached:
                reached.add(target)
                waiting.append(target)
    unreached = [named(page) for page in sorted(DOCS.rglob("*.md")) if page not in reached]
    assert not unreached


@pytest.mark.parametrize("page", sorted(DOCS.glob("decisions/[0-9]*.md")), ids=lambda page: page.stem[:4])
def test_a_decision_has_the_form_of_all_and_stands_in_the_index(page: Path) -> None:
    title, _, status, *_ = page.read_text(encoding="utf-8").splitlines()
    assert re.match(rf"# {page.stem[:4]}\. \S", title)
    assert re.fullmatch(r"Status: (accepted|replaced by \d{4}), \d{4}-\d\d-\d\d", status)
    assert re.findall(r"^## (.*)$", prose(page), re.MULTILINE) == FORM
    title = title.partition(". ")[2]
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    assert f"| {page.stem[:4]} | [{title}]({page.name}) |" in index


def test_the_newest_release_of_the_changelog_is_the_version_of_the_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    releases = RELEASE.findall(CHANGELOG.read_text(encoding="utf-8"))
    assert releases[0][0] == project["version"]
    assert all(re.fullmatch(r" - \d{4}-\d\d-\d\d", date) for _, date in releases)


def test_a_commit_is_checked_by_the_commands_of_make_check() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    rule = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert rule is not None
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in rule[1].splitlines()]
    hooks = (REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert commands == re.findall(r"^ *entry: (.*)$", hooks, re.MULTILINE)


def test_the_changelog_begins_with_what_is_not_released_yet() -> None:
    headings = re.findall(r"^## (.*)$", CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0].strip("[]") == "Unreleased"
