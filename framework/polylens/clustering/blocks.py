"""Every pair of rows once, block by block, over threads and over processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np

from polylens.clustering.points import Points
from polylens.clustering.processes import Processes
from polylens.cores import cores, one_thread
from polylens.progress import Progress

Pair = tuple[int, int]
"""Two blocks by number; equal for the rows of a block among themselves."""

Part = TypeVar("Part")


@dataclass(frozen=True)
class Blocks:
    """Rows cut into blocks of equal size."""

    rows: int
    size: int
    """Rows of a block; the last may have fewer."""

    @classmethod
    def of(cls, rows: int, *, tile: int, most: int) -> Blocks:
        """Blocks of whole tiles, small enough that all threads find work, `most` rows at most.

        They are the same in all processes that share the work, whatever cores each may use.
        """
        fair = -(-rows // (4 * most_threads() * tile)) * tile
        return cls(rows, max(tile, min(fair, most)))

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return -(-self.rows // self.size)

    def span(self, block: int) -> slice:
        """The rows of a block."""
        return slice(block * self.size, min((block + 1) * self.size, self.rows))

    def pairs_of_rows(self, pair: Pair) -> int:
        """How many pairs of rows two blocks hold."""
        first, second = (self.rows_in(block) for block in pair)
        return first * (first - 1) // 2 if pair[0] == pair[1] else first * second

    def rows_in(self, block: int) -> int:
        """How many rows a block has."""
        return min((block + 1) * self.size, self.rows) - block * self.size

    def rounds(self) -> Iterator[list[Pair]]:
        """Every pair of blocks once, in rounds in which no block comes twice (the circle method).

        Work on the pairs of one round can go on side by side without touching the same rows.

        >>> [sorted(pairs) for pairs in Blocks(rows=3, size=1).rounds()]
        [[(0, 0), (1, 1), (2, 2)], [(0, 1)], [(1, 2)], [(0, 2)]]
        """
        yield [(block, block) for block in range(self.count)]
        seats = self.count + self.count % 2
        for turn in range(seats - 1):
            ring = [seats - 1, *((turn + seat) % (seats - 1) for seat in range(seats - 1))]
            met = (sorted((ring[seat], ring[-seat - 1])) for seat in range(seats // 2))
            pairs = [(a, b) for a, b in met if b < self.count]
            if pairs:
                yield pairs


def one_thread_a_product(points: Points) -> AbstractContextManager[object]:
    """Holds each product of matrices to one thread. Bits are compared without products."""
    return one_thread("blas") if points.dtype == np.float32 else nullcontext()


def most_threads() -> int:
    """Threads of the process that has the most, of those that share the work: what all cut it up by."""
    return max(Processes.here().each(cores()))


def over_pairs(
    blocks: Blocks,
    work: Callable[[Pair, int], None],
    *,
    title: str,
    processes: Processes,
    progress: Progress,
) -> None:
    """Does `work(pair, worker)` for this process's share of all pairs of blocks, on all cores."""
    total = blocks.rows * (blocks.rows - 1) // 2
    rounds: Iterable[Sequence[Pair]] = blocks.rounds()
    of_all = 1.0
    if processes.count > 1:
        rounds = [pairs[processes.rank :: processes.count] for pairs in rounds]
        mine = sum(blocks.pairs_of_rows(pair) for pairs in rounds for pair in pairs)
        of_all = total / max(mine, 1)  # one process shows how far all are
    side_by_side(
        rounds,
        work,
        amount=lambda pair: blocks.pairs_of_rows(pair) * of_all,
        title=title,
        total=total,
        progress=progress,
    )


def side_by_side(
    rounds: Iterable[Sequence[Part]],
    work: Callable[[Part, int], None],
    *,
    amount: Callable[[Part], float],
    title: str,
    total: int,
    progress: Progress,
) -> None:
    """Does `work(part, worker)` for the parts of one round after the other, on all cores.

    `worker` numbers the threads, so that each can have room of its own. Between rounds every thread has
    finished. An interrupt waits for the parts that are under way, some milliseconds each, and for nothing
    else.

    Args:
        rounds: parts that can be worked on side by side.
        work: the work.
        amount: how many pairs of rows a part holds.
        title, total, progress: how the work shows itself, in pairs.
    """
    count = cores()
    free = threading.local()
    numbers = iter(range(count))

    def begin() -> None:
        free.number = next(numbers)

    def one(part: Part) -> None:
        work(part, free.number)

    pool = ThreadPoolExecutor(count, thread_name_prefix="pairs", initializer=begin)
    try:
        with progress.task(title, total=total, unit="pairs") as task:
            for parts in rounds:
                if count == 1 or len(parts) == 1:  # a thread takes longer to start than a small part
                    for part in parts:
                        work(part, 0)
                        task.advance(amount(part))
                    continue
                waiting = iter(parts)
                running: dict[Future[None], Part] = {}
                while True:
                    for part in islice(waiting, 4 * count - len(running)):
                        running[pool.submit(one, part)] = part
                    if not running:
                        break
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        part = running.pop(future)
                        future.result()
                        task.advance(amount(part))
    finally:
        pool.shutdown(cancel_futures=True)
