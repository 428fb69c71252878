"""Progress that engines know, without any terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from polylens import progress as module
from polylens.progress import OneLine, Progress, Silent, Task, Under


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


def test_a_notebook_sees_one_line_that_is_written_over_and_ends_in_how_long_it_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    progress = OneLine(out)
    with progress.task("digits", total=3, unit="stages") as stages:
        with progress.task("harvest: reading", total=200, unit="images") as images:
            now[0] += 4.0
            images.advance(100)
            images.advance(1)  # said a moment ago: nothing is written
        now[0] += 1.0
        stages.advance()
        progress.note("1 image was skipped")
    assert as_shown(out.getvalue()) == ["1 image was skipped", "digits done: 1 of 3 stages, 0:05 elapsed"]
    written = [line.rstrip() for line in out.getvalue().replace("\n", "\r").split("\r")]
    assert (
        "digits: 0 of 3 stages; harvest: reading: 100 of 200 images, 25 images/s, 0:04 elapsed, 0:04 left"
        in (written)
    )


def test_where_the_line_is_too_long_the_name_of_the_work_is_cut_and_never_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    progress = OneLine(out)
    with progress.task("hundred-thousand", total=37, unit="stages") as stages:
        stages.advance(3)
        title = "clusters.spanning_tree.random_init#2: nearest neighbours"
        with progress.task(title, total=5e9, unit="pairs") as pairs:
            now[0] += 60.0
            pairs.advance(2.5e9)
    line = next(line for line in out.getvalue().split("\r") if "2,500 of 5,000 million pairs" in line)
    outer, _, inner = line.partition("; ")
    assert outer == "hundred-thousand: 3 of 37 stages, 1:00 elapsed"
    assert inner.startswith("clusters.spa")
    assert inner.endswith("…: 2,500 of 5,000 million pairs, 42/s, 1:00 left")


def as_shown(written: str) -> list[str]:
    """The lines that stay where a carriage return begins the line anew."""
    shown = []
    for line in written.removesuffix("\n").split("\n"):
        stays = ""
        for part in line.split("\r"):
            stays = part + stays[len(part) :]
        shown.append(stays.rstrip())
    return shown
