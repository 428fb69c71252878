"""Whether image files are whole: each is read and decoded once, and remembered while it stays as it is."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from polylens.cores import cores
from polylens.datasets._images import UnreadableImageError, decode
from polylens.datasets.image_folder.listing import ImageFile
from polylens.digests import file_stamp
from polylens.progress import Progress, Silent

_VERSION = 2
"""Raised when what counts as readable changes."""


@dataclass(frozen=True)
class Check:
    """What was found in one file."""

    stamp: str
    """The file's stamp (`polylens.digests.file_stamp`) when it was read."""
    sha256: str
    width: int
    height: int
    problem: str
    """Why the image cannot be used; empty where it can."""


class Checks:
    """Checks of the files of one folder, kept in a JSON file between runs where a `cache` folder is given.

    Losing the file costs time and nothing else; two processes that write it at once leave one of the two
    whole.
    """

    def __init__(self, root: Path, *, cache: Path | None, progress: Progress | None) -> None:
        name = hashlib.sha256(str(root.resolve()).encode(errors="surrogateescape")).hexdigest()[:32]
        self._file = None if cache is None else cache / f"images-{name}.json"
        self._progress = progress or Silent()
        self._known = _load(self._file)

    def of(self, files: Sequence[ImageFile]) -> list[Check]:
        """A check of each file, in their order."""
        stamps = [file_stamp(file.path) for file in files]
        new = [
            (file, stamp)
            for file, stamp in zip(files, stamps, strict=True)
            if file.id not in self._known or self._known[file.id].stamp != stamp
        ]
        if new:
            # Decoding leaves Python's lock free, so threads use every core.
            with (
                self._progress.task("checking images", total=len(new), unit="images") as task,
                ThreadPoolExecutor(max_workers=cores()) as pool,
            ):
                found = pool.map(lambda item: _check(item[0].path, stamp=item[1]), new)
                for (file, _), check in zip(new, found, strict=True):
                    self._known[file.id] = check
                    task.advance()
            _save(self._file, self._known)
        return [self._known[file.id] for file in files]


def _check(path: Path, *, stamp: str) -> Check:
    try:
        content = path.read_bytes()
    except OSError as error:
        return Check(stamp, "", 0, 0, f"cannot be read: {error.strerror}")
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        width, height = decode(content, ending=path.suffix).size
    except UnreadableImageError as error:
        return Check(stamp, sha256, 0, 0, str(error))
    return Check(stamp, sha256, width, height, "")


def _load(file: Path | None) -> dict[str, Check]:
    if file is None or not file.is_file():
        return {}
    try:
        content = json.loads(file.read_bytes())
        if content["version"] != _VERSION:
            return {}
        return {name: Check(*values) for name, values in content["checks"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _save(file: Path | None, checks: dict[str, Check]) -> None:
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = {
        name: [check.stamp, check.sha256, check.width, check.height, check.problem]
        for name, check in sorted(checks.items())
        # A file that could not be read may be readable again without any change to it.
        if check.sha256
    }
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as stream:
        json.dump({"version": _VERSION, "checks": rows}, stream)
    Path(stream.name).replace(file)
