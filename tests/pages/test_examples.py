"""Every command and snippet of the pages is run as it stands, or says why not."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from tests.forking import Forks
from tests.judge_server import judge_server
from tests.mlflow_database import put_database
from tests.pages.blocks import OTHERS, REPOSITORY, TUTORIAL, blocks, prose

PAGES = [*TUTORIAL, *OTHERS]
LANGUAGES = {"console", "python", "yaml", "toml", "text"}


def named(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def put_package(folder: Path) -> None:
    """What `pip install -e .` leaves behind for the tutorial's package: its entry points."""
    (toml,) = [block.text for page in TUTORIAL for block in blocks(page) if block.file == "pyproject.toml"]
    project = tomllib.loads(toml)["project"]
    info = folder / f"my_lab-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def troubles(tmp_path_factory: pytest.TempPathFactory, ready: Forks) -> Sequence[Mapping[str, str]]:
    """What went wrong when all examples were run, in one process of their own."""
    root = tmp_path_factory.mktemp("pages")
    lab = root / "lab"
    shutil.copytree(REPOSITORY / "experiments", lab / "experiments")
    put_database(lab)
    put_package(lab)
    modules = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "framework"), str(lab)])
    # Pages are as wide as a terminal is, and say `python` as in an environment that is switched on.
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    about = {"PYTHONPATH": modules, "PATH": programs, "COLUMNS": "80"}
    with judge_server() as judge:
        done = ready.module(
            "tests.pages",
            "outcomes.json",
            environment={**os.environ, **about, "POLYLENS_JUDGE_ADDRESS": judge.address},
            folder=root,
            patience=3600,
        )
    assert done.returncode == 0, done.stderr
    listed: list[dict[str, str]] = json.loads((root / "outcomes.json").read_text())
    return listed


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_example_of_the_page_does_what_it_says(
    page: Path, troubles: Sequence[Mapping[str, str]]
) -> None:
    wrong = [f"line {each['line']}: {each['trouble']}" for each in troubles if each["page"] == named(page)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_examples_stand_in_blocks_that_say_their_language(page: Path) -> None:
    assert {block.language for block in blocks(page)} <= LANGUAGES
    assert not re.findall(r"^(?: {4}|\t)(?:\$ |polylens |make |pip |python ).*$", prose(page), re.MULTILINE)


def test_all_pages_of_the_tutorial_are_run_in_their_order() -> None:
    assert sorted((REPOSITORY / "docs" / "tutorial").glob("*.md")) == sorted(TUTORIAL)
    index = TUTORIAL[0].read_text(encoding="utf-8")
    assert re.findall(r"^\d\. \[.*?\]\((.*?)\)", index, re.MULTILINE) == [page.name for page in TUTORIAL[1:]]
