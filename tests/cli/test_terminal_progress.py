"""Progress in a terminal and in a file."""

from __future__ import annotations

import io
import re

import pytest
import rich.progress

from polylens import progress as module
from polylens.cli.progress import Bars, open_progress
from polylens.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def bars_of(progress: Progress) -> rich.progress.Progress:
    assert isinstance(progress, Bars)
    return progress._bars


def draw(progress: Progress) -> None:
    """Draws the bars now: ten times a second is not soon enough on a machine that is busy."""
    bars_of(progress).refresh()


def plain(out: Terminal) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())


def test_a_file_gets_a_plain_line_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with open_progress(stream=out) as progress, progress.task("harvest", total=200, unit="images") as task:
        now[0] += 4.0
        task.advance(200)
    # 200 images in 4 seconds
    assert out.getvalue() == "harvest done: 200 of 200 images, 50 images/s, 0:04 elapsed\n"


def test_short_work_leaves_no_line_and_no_bar() -> None:
    for out in (io.StringIO(), Terminal()):
        with open_progress(stream=out) as progress, progress.task("blink", total=1, unit="rows") as task:
            task.advance()
        assert "blink" not in out.getvalue().splitlines()[-1:]
        assert "done" not in out.getvalue()


def test_long_work_says_every_ten_seconds_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with open_progress(stream=out) as progress, progress.task("train", total=60, unit="epochs") as task:
        for _ in range(30):
            now[0] += 1.0
            task.advance()
    lines = out.getvalue().splitlines()[:-1]
    assert lines == [
        "train: 10 of 60 epochs, 1 epochs/s, 0:10 elapsed, 0:50 left",
        "train: 20 of 60 epochs, 1 epochs/s, 0:20 elapsed, 0:40 left",
        "train: 30 of 60 epochs, 1 epochs/s, 0:30 elapsed, 0:30 left",
    ]


def test_a_terminal_keeps_the_bar_of_all_stages_and_notes_and_no_finished_bar_of_one() -> None:
    out = Terminal()
    with (
        open_progress(stream=out) as progress,
        progress.task("digits [x]", total=10, unit="stages") as all_of,
    ):
        with progress.task("cluster", total=10, unit="rows") as task:
            task.advance(10)
        all_of.advance(10)
        progress.note("stored: [clusters]")
    shown = out.getvalue()
    assert "digits [x]" in shown
    assert "10/10 stages" in shown
    assert "10/10 rows" not in shown.splitlines()[-1]
    assert "stored: [clusters]" in shown


def test_work_that_fails_leaves_no_bar_behind() -> None:
    out = Terminal()
    with open_progress(stream=out) as progress, progress.task("digits", total=2, unit="stages"):
        with pytest.raises(ValueError, match="broke"), progress.task("a: cluster", total=10, unit="rows"):
            raise ValueError("it broke")
        with progress.task("a: again", total=10, unit="rows") as task:
            task.advance(3)
            draw(progress)
    last = plain(out).splitlines()
    assert any("a: again" in line for line in last)
    assert "a: cluster" not in "".join(last[-3:])


def test_quiet_says_nothing() -> None:
    out = Terminal()
    with (
        open_progress(quiet=True, stream=out) as progress,
        progress.task("t", total=None, unit="rows") as task,
    ):
        task.advance()
        progress.note("unseen")
    assert out.getvalue() == ""


def test_work_without_a_known_total_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with open_progress(stream=out) as progress, progress.task("read", total=None, unit="files") as task:
        now[0] += 2.0
        task.advance(3)
    assert out.getvalue().splitlines() == ["read done: 3 files, 1.5 files/s, 0:02 elapsed"]


def test_stages_are_counted_but_no_time_is_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with open_progress(stream=out) as progress, progress.task("digits", total=70, unit="stages") as task:
        now[0] += 37.0
        task.advance()
    # One stage trains for half a minute, the next takes a blink: a rate of the two would mean nothing.
    assert out.getvalue().splitlines() == [
        "digits: 1 of 70 stages, 0:37 elapsed",
        "digits done: 1 of 70 stages, 0:37 elapsed",
    ]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_bar_never_breaks_into_a_second_line(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = Terminal()
    title = "code_clusters.random_init#2: clustering"
    with open_progress(stream=out) as progress, progress.task(title, total=150_000, unit="stages") as task:
        task.advance(12_345)
    assert "12,345/150,000 stages" in out.getvalue()
    # Two lines of one bar would be seen as an upward move of the cursor.
    assert "\x1b[1A" not in out.getvalue()


@pytest.mark.parametrize(
    ("columns", "times"), [(80, "1:00 left"), (110, "1:15, 1:00 left"), (200, "1:15, 1:00 left")]
)
def test_work_within_work_says_its_part_once_and_its_time_left_is_never_cut(
    monkeypatch: pytest.MonkeyPatch, columns: int, times: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = Terminal()
    part = "clusters.spanning_tree.random_init#2"
    now = [0.0]
    with open_progress(stream=out) as progress:
        monkeypatch.setattr(bars_of(progress), "get_time", lambda: now[0])
        with (
            progress.task("hundred-thousand", total=37, unit="stages"),
            progress.task(f"{part}: spanning trees", total=1, unit="trees"),
            progress.task(f"{part}: nearest neighbours", total=5_040_029_800, unit="pairs") as pairs,
        ):
            now[0] = 75.0
            pairs.advance(2_800_016_555)
            draw(progress)
            shown = plain(out)
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", shown) if "2,800/" in line]
    assert lines
    assert all(line.startswith("  nearest") for line in lines)
    assert all(line.endswith(f"2,800/5,040 million pairs  37/s  {times}") for line in lines), lines
    assert part[:12] in shown
    assert f"{part[:12]}: nearest" not in shown
    assert max(map(len, lines)) <= columns


def test_many_are_counted_in_millions_in_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    out = io.StringIO()
    with open_progress(stream=out) as progress, progress.task("tree", total=20_000_000, unit="pairs") as task:
        now[0] += 10.0
        task.advance(5_000_000)
    assert (
        out.getvalue().splitlines()[0]
        == "tree: 5 of 20 million pairs, 0.5 million pairs/s, 0:10 elapsed, 0:30 left"
    )
