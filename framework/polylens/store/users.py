"""Who uses a store: the processes that do so now, and the trackers whose runs refer to what it holds."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from polylens.digests import digest
from polylens.errors import StoreError
from polylens.store.files import explain_disk_errors, file_from_bytes
from polylens.store.locks import lock_of
from polylens.store.manifest import SCHEMA

_TRACKERS = "trackers"


@contextmanager
def in_use(root: Path, *, tracker: str | None = None) -> Iterator[None]:
    """A block in which nothing is cleared from the store by any process; waits while one is at that.

    The mark is a lock of the operating system's: it ends with this process, however that ends.

    Args:
        root: the store's folder.
        tracker: the address, without secrets, of the runs that will refer to stages; remembered, so that
            they are asked before anything is cleared. None where no run will.

    Raises:
        StoreError: the store cannot be written.
    """
    with explain_disk_errors(root):
        folder = _folder(root)
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / f"{os.getpid()}-{uuid.uuid4().hex}.lock"
        lock = lock_of(mark)
        with _gate(root):
            lock.acquire(timeout=0)
        if tracker is not None:
            _remember(root, tracker)
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)
        lock.release()


@contextmanager
def cleared(root: Path) -> Iterator[None]:
    """A block in which no process begins to use the store.

    Raises:
        StoreError: a process uses it now, or the store cannot be written.
    """
    with explain_disk_errors(root):
        _folder(root).mkdir(parents=True, exist_ok=True)
        gate = _gate(root)
        gate.acquire()
    try:
        if _is_marked(root):
            raise StoreError(
                f"a run is using the store {root} now", hint="wait for its end; nothing was removed"
            )
        yield
    finally:
        gate.release()


def is_in_use(root: Path) -> bool:
    """Whether a process is inside `in_use`; waits while one clears the store."""
    if not _folder(root).is_dir():
        return False
    with explain_disk_errors(root), _gate(root):
        return _is_marked(root)


def _is_marked(root: Path) -> bool:
    """Whether a mark is held, for the holder of the gate; marks of processes that were killed are removed."""
    for mark in _folder(root).glob("*-*.lock"):
        try:
            with lock_of(mark).acquire(timeout=0):
                mark.unlink(missing_ok=True)
        except Timeout:
            return True
        except FileNotFoundError:
            continue  # its process ended since it was listed
        except OSError:
            return True  # of another person, whose processes cannot be asked
    return False


def trackers(root: Path) -> Mapping[Path, str]:
    """Addresses, without secrets, of all trackers whose runs used the store, by the file that says so."""
    addresses = {}
    for file in sorted((root / _TRACKERS).glob("*.json")):
        try:
            addresses[file] = str(json.loads(file.read_bytes())["address"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{file} cannot be read: {error}",
                hint="it names runs that refer to the store; delete it, and run a spec of each project that "
                "uses the store",
            ) from error
    return addresses


def _remember(root: Path, tracker: str) -> None:
    file = root / _TRACKERS / f"{digest(tracker)[:16]}.json"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file_from_bytes(file, json.dumps({"address": tracker}).encode())


def _folder(root: Path) -> Path:
    return root / f"v{SCHEMA}" / ".users"


def _gate(root: Path) -> FileLock:
    return lock_of(_folder(root) / "clearing.gate")
