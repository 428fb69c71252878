"""Finished parts of an unfinished stage, as arrays by name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from polylens.store.files import explain_disk_errors, file_from_bytes
from polylens.store.stages import Store

_WORD = re.compile(r"[a-z0-9_]+")


class KeptArrays:
    """Arrays that outlive the process that computed them, until their stage is committed.

    Only the holder of the stage's lock may use it. What was not written to its end, or was damaged since, is
    not there.
    """

    def __init__(self, store: Store, kind: str, digest: str, *, part: str = "") -> None:
        self._store = store
        self._kind = kind
        self._digest = digest
        self._part = part

    def part(self, name: str) -> KeptArrays:
        """Arrays of one part of the work, whose names do not meet those of other parts."""
        return KeptArrays(self._store, self._kind, self._digest, part=f"{self._part}{_check_name(name)}.")

    def load(self, name: str) -> Mapping[str, np.ndarray] | None:
        """What was kept under the name; None where nothing whole is."""
        from safetensors.numpy import load

        for path in self._files(name):
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() == path.stem.rpartition("-")[2]:
                arrays: Mapping[str, np.ndarray] = load(content)
                return arrays
            path.unlink()
        return None

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keeps arrays under a name, all or none of them."""
        from safetensors.numpy import save

        content = save({key: np.asarray(array, order="C") for key, array in arrays.items()})
        older = self._files(name)
        folder = self._store.partial(self._kind, self._digest)
        file = f"{self._part}{name}-{hashlib.sha256(content).hexdigest()}.safetensors"
        with explain_disk_errors(self._store.root):
            file_from_bytes(folder / file, content)
            for path in older:
                if path.name != file:
                    path.unlink()

    def _files(self, name: str) -> list[Path]:
        folder = self._store.partial(self._kind, self._digest)
        return sorted(folder.glob(f"{self._part}{_check_name(name)}-*.safetensors"))


def _check_name(name: str) -> str:
    if not _WORD.fullmatch(name):
        raise ValueError(f"not a name to keep something under: {name!r}")
    return name
