"""Digests of files' contents, remembered while a file stays as it is."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from polylens.digests import digest, file_sha256, file_stamp
from polylens.progress import Progress


def contents_digest(
    files: Sequence[tuple[str, Path]], *, root: Path, cache: Path | None, progress: Progress
) -> str:
    """Digest of the names and contents of files. One that cannot be read counts with its name alone.

    Args:
        files: names and where they lie.
        root: the folder that they belong to; what is remembered is kept for it.
        cache: folder for what is remembered; losing it costs time and nothing else.
        progress: shows how many files are read.
    """
    place = hashlib.sha256(str(root.resolve()).encode(errors="surrogateescape")).hexdigest()[:32]
    file = None if cache is None else cache / f"texts-{place}.json"
    known = _load(file)
    digests: dict[str, tuple[str, str]] = {}
    new: list[tuple[str, Path, str]] = []
    for name, path in files:
        stamp = file_stamp(path)
        if known.get(name, ("", ""))[0] == stamp:
            digests[name] = known[name]
        else:
            new.append((name, path, stamp))
    if new:
        with progress.task("reading files", total=len(new), unit="files") as task:
            for name, path, stamp in new:
                digests[name] = (stamp, _sha256(path))
                task.advance()
        _save(file, known | digests)
    return digest([[name, digests[name][1]] for name, _ in files])


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:
        return ""


def _load(file: Path | None) -> dict[str, tuple[str, str]]:
    if file is None or not file.is_file():
        return {}
    try:
        return {name: (str(stamp), str(sha)) for name, (stamp, sha) in json.loads(file.read_bytes()).items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _save(file: Path | None, known: dict[str, tuple[str, str]]) -> None:
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    # A file that could not be read may be readable again without any change to it.
    rows = {name: entry for name, entry in known.items() if entry[1]}
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as stream:
        json.dump(rows, stream)
    Path(stream.name).replace(file)
