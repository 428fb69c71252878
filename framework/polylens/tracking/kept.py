"""What could not be sent: a folder a run, appended to while the server is away, emptied when it is back.

```
<store>/kept/<key>/run.json         which run: experiment, name, digest, parent
                   rest_of          MLflow's id of the run that has everything before this; not there where
                                    nothing of the run was sent
                   journal.jsonl    what is to be logged, one operation a line
                   artifacts/...    the files, at their artifact paths
```
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from polylens.digests import digest
from polylens.store import explain_disk_errors, file_from_bytes, lock_of
from polylens.tracking.operations import Artifact, Finish, Operation, operation_from_plain

_SENT = ".sent-"
"""Begins the name of a folder that was sent and is being removed."""


@dataclass(frozen=True)
class RunIdentity:
    """What makes two openings of a run the same run, and what it is created with."""

    address: str
    """The tracking address, without secrets."""
    experiment: str
    name: str
    digest: str
    parent: RunIdentity | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    start_time: int = 0
    """Milliseconds since 1970."""

    @property
    def key(self) -> str:
        """A name that two openings share if address, experiment, parent and digest are equal."""
        parent = self.parent.key if self.parent else ""
        return digest([self.address, self.experiment, parent, self.digest])

    @classmethod
    def now(cls, **given: Any) -> RunIdentity:
        """The identity of a run that is opened now; takes the other fields."""
        return cls(**given, start_time=time.time_ns() // 1_000_000)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> RunIdentity:
        """The identity that `dataclasses.asdict` wrote."""
        parent = plain["parent"]
        return cls(**{**plain, "parent": None if parent is None else cls.from_plain(parent)})


class Kept:
    """Everything that waits to be sent, of all runs of one store."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def append(self, identity: RunIdentity, operation: Operation, *, rest_of: str | None = None) -> None:
        """Keeps one more operation of a run, on disk before this returns.

        Args:
            identity: the run.
            operation: what is to be logged.
            rest_of: MLflow's id of the run, where that has what was logged before.
        """
        folder = self.root / identity.key
        with explain_disk_errors(self.root.parent), self._lock():
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "run.json").exists():
                if rest_of is not None:
                    _write(folder / "rest_of", rest_of.encode())
                _write(folder / "run.json", json.dumps(asdict(identity)).encode())
            plain = operation.to_plain()
            if isinstance(operation, Artifact):
                _write(folder / "artifacts" / operation.path, operation.content)
                del plain["content"]
            with (folder / "journal.jsonl").open("ab") as stream:
                # A line cut off by a kill must not swallow this one.
                stream.write(b"\n" + json.dumps(plain).encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())

    def waiting_runs(self) -> list[RunIdentity]:
        """The runs that something waits for: parents before children, then in the order they were opened."""
        identities = [
            RunIdentity.from_plain(json.loads((folder / "run.json").read_bytes()))
            for folder in (self.root.iterdir() if self.root.is_dir() else ())
            if not folder.name.startswith(_SENT) and (folder / "run.json").is_file()
        ]
        return sorted(
            identities, key=lambda identity: (identity.parent is not None, identity.start_time, identity.key)
        )

    def has(self, identity: RunIdentity) -> bool:
        """Whether anything of the run waits."""
        return (self.root / identity.key / "journal.jsonl").is_file()

    def rest_of(self, identity: RunIdentity) -> str | None:
        """MLflow's id of the run that what waits is the rest of; None where the whole run waits."""
        file = self.root / identity.key / "rest_of"
        return file.read_text() if file.is_file() else None

    def artifact(self, identity: RunIdentity, path: str) -> bytes | None:
        """A file that waits to be sent as the run's artifact; None where none of this path does."""
        file = self.root / identity.key / "artifacts" / path
        return file.read_bytes() if file.is_file() else None

    def has_finished(self, identity: RunIdentity) -> bool:
        """Whether the run's successful end is among what waits."""
        return any(
            isinstance(operation, Finish) and operation.status == "FINISHED"
            for operation in self._operations(identity)
        )

    @contextmanager
    def take(self, identity: RunIdentity) -> Iterator[Iterator[Operation] | None]:
        """The run's operations, to be sent in the block; forgotten when it ends well, kept when it raises.

        None where another process has sent them since.
        """
        with self._lock():
            for left in self.root.glob(f"{_SENT}*"):
                shutil.rmtree(left, ignore_errors=True)
            folder = self.root / identity.key
            if not folder.is_dir():
                yield None
                return
            yield self._operations(identity)
            # Gone in one step: a journal whose files are half removed could never be sent.
            sent = folder.rename(self.root / f"{_SENT}{identity.key}")
            shutil.rmtree(sent, ignore_errors=True)

    def _operations(self, identity: RunIdentity) -> Iterator[Operation]:
        folder = self.root / identity.key
        if not (folder / "journal.jsonl").is_file():
            return
        for line in (folder / "journal.jsonl").read_bytes().splitlines():
            try:
                plain = json.loads(line)
            except ValueError:
                # Empty, or cut off when the process that wrote it was killed.
                continue
            if plain["kind"] == Artifact.kind:
                plain["content"] = (folder / "artifacts" / plain["path"]).read_bytes()
            yield operation_from_plain(plain)

    def _lock(self) -> FileLock:
        self.root.mkdir(parents=True, exist_ok=True)
        return lock_of(self.root / ".lock")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file_from_bytes(path, content)
