"""One column of a dataset of the Hugging Face hub, read as it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from polylens import imports
from polylens.errors import DataError, listed, nearest
from polylens.hub import ask, not_had, troubles

_TEXTS = ("string", "large_string", "string_view")


@dataclass(frozen=True)
class HubTable:
    """A column of one split of a dataset at one commit."""

    name: str
    revision: str
    config: str | None
    split: str
    column: str

    def texts(self, *, shuffled: tuple[int, int] | None = None) -> Iterator[Any]:
        """The column's values, one by one. Only data files are read; no code of the dataset is run.

        Where the hub is not to be asked or does not answer, its cache is read.

        Args:
            shuffled: seed, and number of documents that are held while they are shuffled.

        Raises:
            DataError: the dataset cannot be had, or has no such config, split or column of text.
        """
        try:
            rows = self._rows()
            if shuffled is not None:
                rows = rows.shuffle(seed=shuffled[0], buffer_size=shuffled[1])
            for row in rows:
                yield row[self.column]
        except DataError:
            raise
        except troubles() as error:
            raise self._not_had(error) from None
        except Exception as error:  # readers of ten formats raise kinds of their own
            why = str(error).strip().partition("\n")[0] or type(error).__name__
            raise DataError(f"{self._title} cannot be read: {why}") from None

    @property
    def _title(self) -> str:
        return f"{self.name} at revision {self.revision[:8]}"

    def _rows(self) -> Any:
        splits = self._builder().as_streaming_dataset()
        if self.split not in splits:
            raise DataError(
                f"{self._title} has no split '{self.split}'", hint=f"splits: {listed(list(splits)) or 'none'}"
            )
        rows = splits[self.split]
        known = rows.features
        columns = list(known or next(iter(rows), {}))
        if self.column not in columns:
            meant = nearest(self.column, columns)
            suggestion = "" if meant is None else f"; did you mean '{meant}'?"
            raise DataError(
                f"{self._title} has no column '{self.column}'{suggestion}",
                hint=f"columns: {listed(columns) or 'none'}",
            )
        if known is not None and getattr(known[self.column], "dtype", "") not in _TEXTS:
            raise DataError(
                f"column '{self.column}' of {self._title} holds {known[self.column]}, not text",
                hint="name a column of strings",
            )
        return rows.select_columns([self.column])

    def _builder(self) -> Any:
        """The dataset's reader: over the network, or of the hub's cache."""
        try:
            # The library tries long, and then keeps quiet about the reason.
            ask(self.name, what="dataset", revision=self.revision)
            # By this address the library never takes a folder of the same name for it.
            builder = self._open(f"hf://datasets/{self.name}", revision=self.revision)
        except troubles() as error:
            if isinstance(error, _no_files()):
                raise DataError(f"{self._title} holds no files of data that can be read") from None
            folder = self._cached_folder()
            if folder is None:
                raise self._not_had(error) from None
            return self._open(folder)
        if builder.hash != self.revision:
            raise DataError(
                f"the hub gives revision {builder.hash} of {self.name}, and {self.revision} was asked for",
                hint="set 'revision' to a commit of the dataset, as its page lists them",
            )
        return builder

    def _cached_folder(self) -> str | None:
        """The folder of the hub's cache with all of the dataset's files; None where some are missing."""
        from huggingface_hub import snapshot_download

        try:
            return str(
                snapshot_download(
                    self.name, repo_type="dataset", revision=self.revision, local_files_only=True
                )
            )
        except troubles():
            return None

    def _open(self, path: str, **options: Any) -> Any:
        library = _library()
        try:
            return library.load_dataset_builder(path, self.config, **options)
        except ValueError:
            configs = library.get_dataset_config_names(path, **options)
            if self.config in configs or len(configs) < 2:
                raise
            told = "several configs, of which none is named" if self.config is None else "no such config"
            raise DataError(f"{self._title} has {told}", hint=f"configs: {listed(configs)}") from None
        except RuntimeError as error:
            if "scripts" not in str(error):
                raise
            raise DataError(
                f"{self._title} is made by code of its own, which is never run",
                hint="take a revision with data files, such as the last commit of its branch "
                "refs/convert/parquet",
            ) from None

    def _not_had(self, error: BaseException) -> DataError:
        return not_had(self.name, what="dataset", revision=self.revision, files=(), error=error)


def _no_files() -> tuple[type[BaseException], ...]:
    library = _library()
    return (library.data_files.EmptyDatasetError, library.exceptions.DataFilesNotFoundError)


def _library() -> Any:
    try:
        return imports.datasets()
    except ImportError:
        raise DataError(
            "datasets of the hub need Hugging Face's library for them",
            hint="pip install 'polylens[hub-text]'",
        ) from None
