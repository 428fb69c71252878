"""Datasets that lie on disk, under a relative or an absolute path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self

from polylens.datasets import Dataset


class OnDisk(Dataset):
    """A dataset whose field `path_field` says where it lies; what it is is told by its contents."""

    path_field: ClassVar[str] = "root"
    """The key that holds the path of its folder or file."""

    @property
    def _path(self) -> str:
        return str(getattr(self, self.path_field))

    def locate(self, find: Callable[[str], Path]) -> Self:
        """This dataset with its path found among the data roots."""
        if Path(self._path).is_absolute():
            return self
        return self.model_copy(update={self.path_field: str(find(self._path) / self._path)})

    def identity(self) -> dict[str, Any]:
        """Everything but where it lies: the contents are in the examples' fingerprint."""
        return {key: value for key, value in super().identity().items() if key != self.path_field}

    def missing(self, *, root: Path) -> Path | None:
        """Where it should lie, where that is not on this machine."""
        path = root / self._path
        return None if path.exists() else path

    def source_in_words(self) -> str:
        """Where the examples come from, as a report says it."""
        return self._path
