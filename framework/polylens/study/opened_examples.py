"""Opening the examples of a study's children, each dataset once."""

from __future__ import annotations

from typing import Literal

from polylens.assembly import Recipe, open_examples
from polylens.digests import digest
from polylens.progress import Progress
from polylens.records import Examples
from polylens.settings import Settings
from polylens.store import explain_disk_errors


class OpenedExamples:
    """Examples, opened once for all children that ask for the same; lives only while planning."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self._known: dict[str, Examples] = {}
        self.failed = False
        """Whether a dataset could not be opened."""

    def of(self, recipe: Recipe, *, split: Literal["train"] | None = None) -> Examples:
        """The recipe's examples, or with `split` those that its network is trained on.

        Raises:
            DataError: the dataset cannot be opened.
            UsageError: the dataset does not fit the model.
        """
        key = digest(
            {
                "dataset": recipe.dataset.to_plain(),
                "format": recipe.model.input_format().to_plain(),
                "seed": recipe.seed,
                "limit": recipe.limit,
                "split": split,
            }
        )
        if key not in self._known:
            self.failed = True
            with explain_disk_errors(self._settings.store):  # where tokens of texts are kept
                self._known[key] = open_examples(
                    recipe,
                    root=self._settings.project,
                    split=split,
                    cache=self._settings.store / "seen",
                    progress=self._progress,
                )
            self.failed = False
        return self._known[key]
