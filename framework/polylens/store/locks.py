"""Locks between processes: the operating system's `flock`, or a refusal where the disk has none.

Such a lock ends with the process that holds it, however that ends, on whichever machine. A file that is
merely there says nothing of its maker: whether a process of another machine still runs cannot be asked.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from polylens.errors import StoreError

_NONE = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL}
_checked: set[int] = set()
"""Disks that were tried, by device number."""


def lock_of(path: Path) -> FileLock:
    """The lock of a file, which is made where it is not there; its folder must be.

    Raises:
        StoreError: the disk has no locks.
    """
    _check_disk(path.parent)
    return FileLock(path)


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """A block that one process at a time is in; waits for others.

    Raises:
        StoreError: the disk has no locks.
    """
    with lock_of(path):
        yield


def _check_disk(folder: Path) -> None:
    """Tries a lock on a file without a name, once for each disk: the library would go on without locks."""
    try:
        import fcntl
    except ImportError:  # Windows has locks of its own, everywhere
        return
    device = folder.stat().st_dev
    if device in _checked:
        return
    with tempfile.TemporaryFile(dir=folder) as probe:
        try:
            fcntl.flock(probe.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NONE:
                raise
            raise StoreError(
                f"the disk of {folder} has no locks ({error.strerror}), and two runs would write one stage",
                hint="mount it with them (Lustre: -o flock; NFS: with its lock daemon), or give the store "
                "another place with POLYLENS_STORE",
            ) from error
    _checked.add(device)
