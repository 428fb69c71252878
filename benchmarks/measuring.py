"""Measuring in turn, and printing what was measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

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
