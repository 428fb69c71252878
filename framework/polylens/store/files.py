"""Files that are on disk as a whole or not at all, and what to say when the disk refuses."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polylens.errors import StoreError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EROFS, errno.EACCES, errno.EPERM}


def sync(path: Path) -> None:
    """Brings a file's bytes, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Brings a folder with all it holds to the disk, the innermost first."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)


def file_from_bytes(path: Path, content: bytes) -> None:
    """Writes a file that is there with all its bytes or not at all, whenever process or machine stop."""
    # Numbers of processes are not enough: those of two machines that share a disk may be the same.
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with beside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    sync(path.parent)


@contextmanager
def explain_disk_errors(root: Path) -> Iterator[None]:
    """Turns a full disk and a store that may not be written into errors that say what to do.

    Raises:
        StoreError: the disk is full, or the store refuses to be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreError(
                f"no space is left for the store {root}{_free(root)}",
                hint="free some space, or give the store another place with POLYLENS_STORE; "
                "what is finished stays and is not done again",
            ) from error
        if error.errno in _REFUSED and _is_within(error.filename, root):
            raise StoreError(
                f"the store {root} cannot be written: {error.strerror} ({error.filename})",
                hint="mend the permissions, or give the store another place with POLYLENS_STORE",
            ) from error
        raise


def _free(root: Path) -> str:
    try:
        return f" ({shutil.disk_usage(root).free / 1e9:.1f} GB free)"
    except OSError:
        return ""


def _is_within(filename: object, root: Path) -> bool:
    """Whether a failed file belongs to the store; making the store's own parents counts too."""
    if not isinstance(filename, str):
        return False
    path = Path(filename).absolute()
    return path.is_relative_to(root) or root.is_relative_to(path)
