"""Progress that engines know, without any terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from polylens.progress import Progress, Silent, Task, Under


class Heard:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    @contextmanager
    def task(self, title: str, *, total: float | None, unit: str) -> Iterator[Task]:
        self.told.append((title, total, unit))
        yield self

    def advance(self, amount: float = 1.0) -> None:
        self.told.append(amount)

    def note(self, text: str) -> None:
        self.told.append(text)


def test_a_part_says_its_name_before_every_title_and_leaves_notes_alone() -> None:
    heard = Heard()
    part = Under("clusters.random_init#2", heard)
    with part.task("clustering", total=3, unit="clusterings") as task:
        task.advance()
        task.advance(2)
    part.note("2 pairs were left out")
    opened = ("clusters.random_init#2: clustering", 3, "clusterings")
    assert heard.told == [opened, 1.0, 2, "2 pairs were left out"]


def test_parts_of_parts_say_all_their_names() -> None:
    heard = Heard()
    with Under("inner", Under("outer", heard)).task("work", total=None, unit="rows"):
        pass
    assert heard.told == [("outer: inner: work", None, "rows")]


def test_silent_progress_takes_everything_and_prints_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    silent = Silent()
    with silent.task("work", total=None, unit="rows") as task:
        task.advance(5)
    silent.note("a line")
    assert capsys.readouterr() == ("", "")
    assert isinstance(silent, Progress)
    assert isinstance(Under("part", silent), Progress)
