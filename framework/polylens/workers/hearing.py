"""What workers say of their progress, shown by the parent."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from polylens.progress import Progress, Task


class Shower:
    """Shows what one worker tells by `telling.Told`: tasks within tasks; the innermost advances."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._open: list[tuple[AbstractContextManager[Task], Task]] = []

    def __call__(self, message: Mapping[str, Any]) -> None:
        """Takes one message."""
        if "open" in message:
            task = self._progress.task(message["open"], total=message["total"], unit=message["unit"])
            self._open.append((task, task.__enter__()))
        elif "close" in message and self._open:
            self._open.pop()[0].__exit__(None, None, None)
        elif "advance" in message and self._open:
            self._open[-1][1].advance(message["advance"])
        elif "note" in message:
            self._progress.note(message["note"])
