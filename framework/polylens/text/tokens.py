"""Tokens of many documents on disk: memory-mapped, checked, and made again where damaged."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int32, Int64, UInt64

from polylens.digests import digest, file_sha256
from polylens.records import Skipped
from polylens.text.growing import GrowingArray

_FILES = ("ids", "spans", "bounds", "marks")
_ABOUT = "tokens.json"


@dataclass(frozen=True)
class Tokens:
    """The tokens of documents, one document after the other."""

    ids: Int32[np.ndarray, "tokens"]
    spans: Int32[np.ndarray, "tokens 2"]
    """Characters of the document from and up to which each token goes; -1 where it stands for no text."""
    bounds: Int64[np.ndarray, "documents_and_one"]
    """Where each document starts; the last one is the number of tokens."""
    marks: UInt64[np.ndarray, "documents"]
    """`text_mark` of each document, by which a changed one is noticed."""
    names: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    fingerprint: str
    """Digest of all of the above."""
    folder: Path | None = None
    """Where they lie; None where they do not outlive the process."""

    def __reduce__(self) -> Any:
        """Other processes map the same files."""
        if self.folder is not None:
            return _map_tokens, (self.folder,)
        return Tokens, (
            *(np.array(getattr(self, name)) for name in _FILES),
            self.names,
            self.skipped,
            self.fingerprint,
        )


def text_mark(text: str) -> int:
    """A number that changes when the text does."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


class TokenWriter:
    """Writes the tokens of documents as they come, in flat memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ids = GrowingArray(folder / "ids.npy", dtype=np.int32)
        self._spans = GrowingArray(folder / "spans.npy", dtype=np.int32, width=2)
        self._bounds = [0]
        self._marks: list[int] = []
        self._names: list[str] = []

    def __len__(self) -> int:
        return len(self._names)

    def append(
        self,
        name: str,
        ids: Int32[np.ndarray, "tokens"],
        spans: Int32[np.ndarray, "tokens 2"],
        *,
        mark: int,
    ) -> None:
        """Writes the next document."""
        self._ids.append(ids)
        self._spans.append(spans)
        self._bounds.append(self._bounds[-1] + len(ids))
        self._marks.append(mark)
        self._names.append(name)

    def close(self) -> None:
        """Closes what is open."""
        self._ids.close()
        self._spans.close()

    def finish(self, *, skipped: list[Skipped]) -> None:
        """Writes what is known at the end."""
        self._ids.finish()
        self._spans.finish()
        np.save(self._folder / "bounds.npy", np.array(self._bounds, dtype=np.int64))
        np.save(self._folder / "marks.npy", np.array(self._marks, dtype=np.uint64))
        about = {
            "names": self._names,
            "skipped": [[item.example_id, item.reason] for item in skipped],
            "files": {name: file_sha256(self._folder / f"{name}.npy") for name in _FILES},
        }
        content = {"digest": digest(about), "about": about}
        (self._folder / _ABOUT).write_text(json.dumps(content), encoding="utf-8")


def kept_tokens(key: str, *, cache: Path | None, make: Callable[[TokenWriter], list[Skipped]]) -> Tokens:
    """The tokens kept under a key, or made now and kept.

    What is damaged is made again. Two processes that make the same at once leave one of the two whole.

    Args:
        key: digest of all that the tokens depend on.
        cache: folder for tokens; None keeps them for this process alone.
        make: writes all documents and gives those that were left out.
    """
    if cache is None:
        with tempfile.TemporaryDirectory(prefix="polylens-tokens-", ignore_cleanup_errors=True) as scratch:
            _write(Path(scratch), make)
            # The maps hold on to the files after their folder is gone.
            return _load_tokens(Path(scratch), lasting=False)
    folder = cache / f"tokens-{key}"
    if _is_whole(folder):
        return _map_tokens(folder)
    cache.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".tokens-", dir=cache))
    try:
        _write(beside, make)
        if not _is_whole(folder):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                beside.rename(folder)
            except OSError:
                # Another process was faster.
                if not _is_whole(folder):
                    raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return _map_tokens(folder)


def _write(folder: Path, make: Callable[[TokenWriter], list[Skipped]]) -> None:
    with closing(TokenWriter(folder)) as writer:
        writer.finish(skipped=make(writer))


def _is_whole(folder: Path) -> bool:
    try:
        content = json.loads((folder / _ABOUT).read_bytes())
        about = content["about"]
        return bool(content["digest"] == digest(about)) and all(
            file_sha256(folder / f"{name}.npy") == about["files"][name] for name in _FILES
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _map_tokens(folder: Path) -> Tokens:
    return _load_tokens(folder, lasting=True)


def _load_tokens(folder: Path, *, lasting: bool) -> Tokens:
    about = json.loads((folder / _ABOUT).read_bytes())["about"]
    return Tokens(
        ids=_array(folder / "ids.npy"),
        spans=_array(folder / "spans.npy"),
        bounds=_array(folder / "bounds.npy"),
        marks=_array(folder / "marks.npy"),
        names=tuple(about["names"]),
        skipped=tuple(Skipped(name, reason) for name, reason in about["skipped"]),
        fingerprint=digest(about),
        folder=folder if lasting else None,
    )


def _array(path: Path) -> np.ndarray:
    try:
        return np.asarray(np.load(path, allow_pickle=False, mmap_mode="r"))
    except ValueError:
        # An array without elements cannot be mapped.
        return np.asarray(np.load(path, allow_pickle=False))
