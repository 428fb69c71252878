"""Measuring in turn, and printing what was measured."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

T = TypeVar("T")
Work = Callable[[], object]


def ways(owner: object, names: Sequence[str]) -> dict[str, Work]:
    """Methods of one object by name."""
    return {name: getattr(owner, name) for name in names}


def peak_megabytes() -> int:
    """Most memory that this process has held, on Linux.

    `getrusage` would say more: a process inherits there what the one that started it had held.
    """
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def own_megabytes() -> int:
    """Memory that this process holds itself now, without pages of mapped files, on Linux."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("RssAnon"))


def taken_by(work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """What comes of some work, and what it took.

    `seconds` by the clock and `busy` of processors; `own`, the most megabytes that the process held itself,
    looked at every 20 ms; `all`, the most that it held with pages of mapped files since it was started.
    """
    most, done = 0, threading.Event()

    def look() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, own_megabytes())

    thread = threading.Thread(target=look)
    thread.start()
    start, busy = time.perf_counter(), time.process_time()
    try:
        found = work()
    finally:
        done.set()
        thread.join()
    seconds, processor = time.perf_counter() - start, time.process_time() - busy
    own = max(most, own_megabytes())
    return found, {"seconds": seconds, "busy": processor, "own": own, "all": peak_megabytes()}


class Others:
    """Processor seconds that others have taken since this was made, on Linux: programs, and a host's own.

    What this process started and waited for is not counted.
    """

    def __init__(self) -> None:
        self._busy, self._own, self._start = _busy_seconds(), _own_seconds(), time.perf_counter()

    def share(self) -> float:
        """Of all the processor time there was."""
        total = (os.cpu_count() or 1) * (time.perf_counter() - self._start)
        others = _busy_seconds() - self._busy - (_own_seconds() - self._own)
        return max(others, 0.0) / total


class Patience:
    """Seconds that may go into waiting for a quiet machine, all waits together."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def wait(self, *, share: float = 0.05) -> None:
        """Waits until others take less than a share of the machine for two seconds, or patience ends."""
        while self.left > 0:
            others = Others()
            time.sleep(2)
            self.left -= 2
            if others.share() < share:
                return


def _busy_seconds() -> float:
    """Of all processors since the start of the machine, all but idle and waiting."""
    times = [int(word) for word in Path("/proc/stat").read_text().split(maxsplit=9)[1:9]]
    return (sum(times) - times[3] - times[4]) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def alternated(work: Mapping[str, Work], *, turns: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Seconds of each way, measured in turn (A B A B), so that what slows the machine slows all."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(warm_up + turns):
        for name, do in work.items():
            start = time.perf_counter()
            do()
            if turn >= warm_up:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def report(
    title: str,
    seconds: Mapping[str, Sequence[float]],
    *,
    against: str,
    work: int = 0,
    unit: str = "",
    memory: Mapping[str, int] | None = None,
) -> None:
    """Prints medians, spreads, and how many times as long as `against` each way takes."""
    print(f"\n{title}")
    rate_of = f"{unit}/s" if unit else ""
    print(f"{'way':<16}{'median s':>10}{'least':>8}{'most':>8}{'ratio':>8}{rate_of:>12}{'peak MB':>9}")
    for name, times in seconds.items():
        middle, ratio = median(times), median(times) / median(seconds[against])
        rate = f"{work / middle:.1f}" if work else ""
        peak = str(memory[name]) if memory else ""
        print(
            f"{name:<16}{middle:>10.3f}{min(times):>8.3f}{max(times):>8.3f}{ratio:>8.2f}{rate:>12}{peak:>9}"
        )
