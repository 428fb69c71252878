"""What a worker tells of its progress is what the parent shows."""

from __future__ import annotations

import io
import json

from polylens.progress import ProgressLines
from polylens.workers import telling
from polylens.workers.hearing import Shower


def test_tasks_within_tasks_and_notes_arrive_as_they_were_told(monkeypatch):
    told = []
    monkeypatch.setattr(telling, "tell", lambda message: told.append(json.loads(json.dumps(message))))
    progress = telling.Told()
    with progress.task("trees", total=2, unit="trees") as trees:
        with progress.task("nearest", total=10, unit="pairs") as pairs:
            pairs.advance(4)
            pairs.advance(6)
        trees.advance()
        progress.note("one tree is done")

    shown = []

    class Recorded(ProgressLines):
        def task(self, title, *, total, unit):
            shown.append((title, total, unit))
            opened = super().task(title, total=total, unit=unit)
            return Watched(opened, title)

    class Watched:
        def __init__(self, opened, title):
            self._opened, self._title = opened, title

        def __enter__(self):
            task, title = self._opened.__enter__(), self._title

            class Counted:
                def advance(self, amount=1.0):
                    shown.append((title, amount))
                    task.advance(amount)

            return Counted()

        def __exit__(self, *error):
            shown.append((self._title, "closed"))
            return self._opened.__exit__(*error)

    out = io.StringIO()
    shower = Shower(Recorded(out))
    for message in told:
        shower(message)
    assert shown == [
        ("trees", 2, "trees"),
        ("nearest", 10, "pairs"),
        ("nearest", 4),
        ("nearest", 6),
        ("nearest", "closed"),
        ("trees", 1.0),
        ("trees", "closed"),
    ]
    assert out.getvalue() == "one tree is done\n"
