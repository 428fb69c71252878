"""Answers from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from polylens.digests import digest, file_sha256
from polylens.errors import DataError
from polylens.folders import there_instead
from polylens.judges import Judge
from polylens.judges._book import read_answers
from polylens.records import Answer, Question
from polylens.work import Judging


class Recorded(Judge):
    """Answers that another judge once gave, read from a file: for repeating a run where no judge is.

    The file is one that polylens keeps of another judge: one line of JSON an answer, in the folder `answers`
    of the store. A question that it has no answer to stops the run.

    Source: ours.
    """

    keeps_answers: ClassVar[bool] = False
    later_fields: ClassVar[frozenset[str]] = frozenset({"images"})

    file: str
    """The file; a relative one starts from the project. What it holds is part of every digest."""
    images: bool = True
    """Whether the judge that gave them was shown images, and not told class names in their place."""

    def contents_digest(self, *, root: Path) -> str:
        """The sha256 of the file."""
        return file_sha256(self._path(root))

    def takes_images(self) -> bool:
        """Where `images` says so."""
        return self.images

    def answers(self, questions: Sequence[Question], judging: Judging) -> Iterator[tuple[int, Answer]]:
        """The recorded answers.

        Raises:
            DataError: there is no such file, or it lacks an answer.
        """
        known = dict(read_answers(self._path(judging.root)))
        keys = [digest(question.to_plain()) for question in questions]
        lacking = sum(key not in known for key in keys)
        if lacking:
            raise DataError(
                f"{self.file} has no answer to {lacking:,} of {len(keys):,} questions",
                hint="other rows, clusters or settings were recorded; ask the judge that gave it again",
            )
        for place, key in enumerate(keys):
            yield place, known[key]

    def _path(self, root: Path) -> Path:
        path = root / Path(self.file).expanduser()
        if not path.is_file():
            raise DataError(
                f"there is no file of answers '{self.file}': there is {there_instead(path)}",
                hint="a relative file starts from the project",
            )
        return path
