"""A worker's side: does its part of what a file says, and tells the parent as lines of JSON."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polylens.devices import is_out_of_memory
from polylens.errors import PolylensError
from polylens.memory import own_process
from polylens.progress import Task

_LONGEST = 3000
"""Characters of a message; lines this short reach the pipe in one piece, whichever process writes them."""


def do_part(work: Callable[[dict[str, Any]], None], arguments: list[str]) -> int:
    """Does one process' part of a job; gives the exit code.

    Args:
        work: takes the job as plain data.
        arguments: the job's file.
    """
    own_process()
    # Before the imports, which take seconds in which the parent may end.
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        work(json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
    except PolylensError as error:
        tell({"error": type(error).__name__, "message": error.message[:_LONGEST], "hint": error.hint})
        return 1
    except BaseException as error:
        hint = (
            "give every process less at once by a smaller --batch-size" if is_out_of_memory(error) else None
        )
        tell({"error": "", "message": f"{type(error).__name__}: {error}"[:_LONGEST], "hint": hint})
        raise
    return 0


def tell(message: Mapping[str, Any]) -> None:
    """Tells the parent, by the standard output that all processes of a machine share."""
    os.write(1, (json.dumps(message) + "\n").encode())


class Told:
    """Progress that is shown by the parent."""

    @contextmanager
    def task(self, title: str, *, total: float | None, unit: str) -> Iterator[Task]:
        """Opens a task there, within those that are open."""
        tell({"open": title, "total": total, "unit": unit})
        yield _ToldTask()
        tell({"close": title})

    def note(self, text: str) -> None:
        """Shows one line there."""
        tell({"note": text})


class _ToldTask:
    def advance(self, amount: float = 1.0) -> None:
        tell({"advance": amount})


def end_with_parent() -> None:
    """Ends this process when its parent is gone, however that ended.

    The parent holds the other end of standard input, which all processes of a machine inherit, and is silent.
    """
    while os.read(0, 1):
        pass
    os._exit(1)
