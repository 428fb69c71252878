"""Progress in a terminal and in a file."""

from __future__ import annotations

import io

import pytest

from polylens.cli import progress as module
from polylens.cli.progress import open_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_gets_plain_lines_at_start_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 100.0, 104.0, 104.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    out = io.StringIO()
    with open_progress(stream=out) as progress, progress.task("harvest", total=200, unit="images") as task:
        task.advance(200)
    # 200 images in 4 seconds
    assert out.getvalue() == (
        "harvest started: 0 of 200 images\nharvest done: 200 of 200 images, 50 images/s, 0:04 elapsed\n"
    )


def test_long_work_says_every_ten_seconds_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with open_progress(stream=out) as progress, progress.task("train", total=60, unit="epochs") as task:
        for _ in range(30):
            now[0] += 1.0
            task.advance()
    lines = out.getvalue().splitlines()[1:-1]
    assert lines == [
        "train: 10 of 60 epochs, 1 epochs/s, 0:10 elapsed, 0:50 left",
        "train: 20 of 60 epochs, 1 epochs/s, 0:20 elapsed, 0:40 left",
        "train: 30 of 60 epochs, 1 epochs/s, 0:30 elapsed, 0:30 left",
    ]


def test_a_terminal_gets_a_bar_with_rate_and_notes() -> None:
    out = Terminal()
    with open_progress(stream=out) as progress:
        with progress.task("cluster [x]", total=10, unit="rows") as task:
            task.advance(10)
        progress.note("stored: [clusters]")
    shown = out.getvalue()
    assert "cluster [x]" in shown
    assert "10/10 rows" in shown
    assert "stored: [clusters]" in shown


def test_quiet_says_nothing() -> None:
    out = Terminal()
    with (
        open_progress(quiet=True, stream=out) as progress,
        progress.task("t", total=None, unit="rows") as task,
    ):
        task.advance()
        progress.note("unseen")
    assert out.getvalue() == ""


def test_work_without_a_known_total_is_counted() -> None:
    out = io.StringIO()
    with open_progress(stream=out) as progress, progress.task("read", total=None, unit="files") as task:
        task.advance(3)
    assert out.getvalue().splitlines()[1].startswith("read done: 3 files")
