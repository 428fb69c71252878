"""The store: stages as folders that are whole or not there, each made by one process at a time."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import Timeout

from polylens.digests import file_stamp
from polylens.errors import StoreError
from polylens.progress import Progress, Silent
from polylens.store.files import explain_disk_errors, sync, sync_tree
from polylens.store.locks import lock_of
from polylens.store.manifest import (
    NAME,
    SCHEMA,
    DamagedError,
    Manifest,
    damage,
    read_manifest,
    write_manifest,
)

_WORD = re.compile(r"[a-z][a-z_]*")
_DIGEST = re.compile(r"[0-9a-zA-Z_]+")
_SECONDS_BETWEEN_TRIES = 0.1


class Store:
    """Stages' results under one folder. Any number of processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()
        self._home = self.root / f"v{SCHEMA}"
        self._verified: dict[Path, tuple[str, ...]] = {}
        self._swept = False

    def prepare(self) -> None:
        """Makes sure the store's folder is there, before anything is computed.

        Raises:
            StoreError: it cannot be made.
        """
        try:
            self._home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the store {self.root} cannot be made: {error.strerror}",
                hint="give it another place with POLYLENS_STORE",
            ) from error

    def has(self, kind: str, digest: str) -> bool:
        """Whether the stage is finished. Nothing is hashed; `open` finds damage.

        Raises:
            StoreError: it was written by another version of the store.
        """
        folder = self._folder(kind, digest)
        if not (folder / NAME).is_file():
            return False
        try:
            read_manifest(folder)
        except DamagedError:
            # Finished once: `open` puts it aside and says so.
            return True
        return True

    def open(self, kind: str, digest: str) -> Path:
        """The stage's folder, every file verified (once a process, as long as nothing changes).

        Raises:
            DamagedError: it was damaged, and was put aside; compute it again.
            StoreError: there is no such stage, or it was written by another version of the store.
        """
        if not self.has(kind, digest):
            raise StoreError(f"the store {self.root} holds no {kind} {digest}", hint="run its spec first")
        fault = self._damage(kind, digest)
        if fault is None:
            return self._folder(kind, digest)
        with self.lock(kind, digest):
            # Looked at again under the lock: another process may have put it aside and made it anew.
            if not self.has(kind, digest):
                raise DamagedError(f"the stored {kind} {digest} was damaged ({fault})")
            fault = self._damage(kind, digest)
            if fault is None:
                return self._folder(kind, digest)
            aside = self._put_aside(kind, digest)
        raise DamagedError(f"the stored {kind} {digest} is damaged ({fault}); it was put aside in {aside}")

    @contextmanager
    def write_stage(
        self, kind: str, digest: str, *, about: Mapping[str, Any], progress: Progress | None = None
    ) -> Iterator[Path | None]:
        """An empty folder to write the stage into; it becomes the stage when the block ends without an error.

        Gives None where the stage is there already, such as when another process finished it while this one
        waited for it; the block has nothing to do then.

        Args:
            kind: what kind of stage.
            digest: the digest of its recipe.
            about: what it is, for people; plain data.
            progress: where waiting for another process is shown.

        Raises:
            StoreError: the store cannot be written, or was written by another version.
        """
        with self.lock(kind, digest, progress=progress):
            if self.is_whole(kind, digest, progress=progress):
                yield None
                return
            with self.commit_stage(kind, digest, about=about) as folder:
                yield folder

    @contextmanager
    def commit_stage(self, kind: str, digest: str, *, about: Mapping[str, Any]) -> Iterator[Path]:
        """An empty folder to write the stage into; it becomes the stage when the block ends without an error.

        For a caller that holds the stage's lock (`locked`) and knows that the store lacks the stage.
        """
        final = self._folder(kind, digest)
        unfinished = self._unfinished_folder(kind, digest)
        with explain_disk_errors(self.root):
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            try:
                yield unfinished
                write_manifest(unfinished, kind=kind, digest=digest, about=about)
                sync_tree(unfinished)
                final.parent.mkdir(parents=True, exist_ok=True)
                if final.exists():
                    self._put_aside(kind, digest)
                unfinished.rename(final)
                sync(final.parent)
                self._trust(final)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
            shutil.rmtree(self._partial(kind, digest), ignore_errors=True)

    @contextmanager
    def lock(self, kind: str, digest: str, *, progress: Progress | None = None) -> Iterator[None]:
        """Keeps every other process from making the stage; waits, and says so, where one is at it.

        The lock is the operating system's: it ends with the process that holds it, however that ends.
        """
        with explain_disk_errors(self.root):
            path = self._lock_path(kind, digest)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._sweep()
            lock = lock_of(path)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                (progress or Silent()).note(f"another process is making {kind} {digest[:8]}; waiting for it")
                lock.acquire(poll_interval=_SECONDS_BETWEEN_TRIES)
        try:
            yield
        finally:
            lock.release()

    def partial(self, kind: str, digest: str) -> Path:
        """A folder for the finished parts of an unfinished stage, only for the holder of the stage's lock.

        It outlives the process, and goes when the stage is committed.
        """
        with explain_disk_errors(self.root):
            folder = self._partial(kind, digest)
            folder.mkdir(parents=True, exist_ok=True)
            return folder

    def stages(self) -> tuple[Manifest, ...]:
        """What is stored, by kind and age; damaged stages are left out."""
        manifests = []
        for path in sorted(self._home.glob(f"*/*/{NAME}")):
            if path.parent.parent.name.startswith(".") or path.parent.parent.name == "quarantine":
                continue
            try:
                manifests.append(read_manifest(path.parent))
            except StoreError:
                continue
        return tuple(
            sorted(manifests, key=lambda manifest: (manifest.kind, manifest.created, manifest.digest))
        )

    def manifest(self, kind: str, digest: str) -> Manifest:
        """What one stored stage is.

        Raises:
            StoreError: there is no such stage, or its manifest cannot be read.
        """
        return read_manifest(self._folder(kind, digest))

    def is_whole(self, kind: str, digest: str, *, progress: Progress | None = None) -> bool:
        """Whether the stage is there and undamaged, for the holder of its lock; damaged, it is put aside."""
        if not self.has(kind, digest):
            return False
        fault = self._damage(kind, digest)
        if fault is not None:
            self._put_aside(kind, digest)
            note = f"the stored {kind} {digest[:8]} was damaged ({fault}); it was put aside and is made again"
            (progress or Silent()).note(note)
        return fault is None

    def _damage(self, kind: str, digest: str) -> str | None:
        folder = self._folder(kind, digest)
        try:
            manifest = read_manifest(folder)
        except DamagedError as error:
            return error.message
        if (manifest.kind, manifest.digest) != (kind, digest):
            return f"its manifest is that of {manifest.kind} {manifest.digest}"
        before = _signature(folder, manifest)
        if before is not None and self._verified.get(folder) == before:
            return None
        fault = damage(folder, manifest)
        if fault is None and before is not None:
            self._verified[folder] = before
        return fault

    def _trust(self, folder: Path) -> None:
        """Remembers a stage whose files were hashed just now, while they were written down."""
        signature = _signature(folder, read_manifest(folder))
        if signature is not None:
            self._verified[folder] = signature

    def _put_aside(self, kind: str, digest: str) -> Path:
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = self._home / "quarantine" / f"{kind}-{digest}-{now}"
        with explain_disk_errors(self.root):
            aside.parent.mkdir(exist_ok=True)
            self._folder(kind, digest).rename(aside)
        return aside

    def _sweep(self) -> None:
        """Removes what killed processes left, once: a temporary folder whose lock is free has no writer."""
        if self._swept:
            return
        self._swept = True
        for folder in (*self._home.glob(".unfinished/*"), *self._home.glob(".partial/*")):
            kind, _, digest = folder.name.partition("-")
            if folder.parent.name == ".partial" and not (self._folder(kind, digest) / NAME).is_file():
                continue  # shards that a later run goes on from
            try:
                with lock_of(self._lock_path(kind, digest)).acquire(timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)
            except (Timeout, RuntimeError):
                continue  # somebody is at it

    def _folder(self, kind: str, digest: str) -> Path:
        if not _WORD.fullmatch(kind) or not _DIGEST.fullmatch(digest) or kind == "quarantine":
            raise ValueError(f"not a stage: {kind!r} {digest!r}")
        return self._home / kind / digest

    def _unfinished_folder(self, kind: str, digest: str) -> Path:
        return self._home / ".unfinished" / f"{kind}-{digest}"

    def _partial(self, kind: str, digest: str) -> Path:
        return self._home / ".partial" / f"{kind}-{digest}"

    def _lock_path(self, kind: str, digest: str) -> Path:
        return self._home / ".locks" / f"{kind}-{digest}.lock"


def _signature(folder: Path, manifest: Manifest) -> tuple[str, ...] | None:
    """Cheap marks of the files that change when they are written again; None where one is missing."""
    stamps = tuple(file_stamp(folder / name) for name in (NAME, *manifest.files))
    return None if "missing" in stamps else stamps
