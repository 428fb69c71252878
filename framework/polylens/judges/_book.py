"""Answers on disk: one file a judge, one line an answer, written as it comes and never changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from polylens.records import OUTCOMES, Answer


class AnswerBook:
    """The answers of one judge, by the digest of the question.

    A line is written at once and as a whole, so a process that is killed loses at most the line it was
    writing, and that line is passed over when the file is read.
    """

    def __init__(self, folder: Path | None, *, name: str) -> None:
        """
        Args:
            folder: where the file lies; None keeps answers in memory alone.
            name: digest of the judge.
        """
        self._file = None if folder is None else folder / f"{name}.jsonl"
        self._answers: dict[str, Answer] = {}
        if self._file is not None and self._file.is_file():
            self._answers = dict(read_answers(self._file))

    def has(self, key: str) -> bool:
        """Whether the question has an answer that need not be asked for again."""
        return key in self._answers and self._answers[key].outcome != "failed"

    def answer(self, key: str) -> Answer:
        """What was answered."""
        return self._answers[key]

    def keep(self, key: str, answer: Answer) -> None:
        """Keeps one answer, on disk before anything else is done."""
        self._answers[key] = answer
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"question": key, **asdict(answer)}, ensure_ascii=False)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # A line break on both sides: what a killed process left unfinished stays a line of its own.
            os.write(descriptor, f"\n{line}\n".encode("utf-8", errors="replace"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_answers(path: Path) -> Iterator[tuple[str, Answer]]:
    """The answers of a file by the digest of their question; of several to one question the last counts.

    Lines that are no answer, such as one that was being written when a process was killed, are passed over.
    """
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            plain = json.loads(line)
        except ValueError:
            continue
        if isinstance(plain, dict) and plain.get("outcome") in OUTCOMES and "question" in plain:
            yield _answer(plain)


def _answer(plain: dict[str, Any]) -> tuple[str, Answer]:
    key = str(plain.pop("question"))
    return key, Answer(**{name: plain[name] for name in Answer.__dataclass_fields__ if name in plain})
