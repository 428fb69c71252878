"""What people said of clusters: sheets that were handed out and versions that came back, none ever changed.

```
<store>/annotations/<clusters>/sheets/<name>.json    what each line of a sheet stands for
                               versions/0001.json    what one import brought
```

They belong to the clusters and to no run: another run that finds the same clusters has them too. No clearing
of the store takes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from polylens.errors import StoreError
from polylens.store.files import explain_disk_errors, file_from_bytes
from polylens.store.plain import json_bytes, read_json

FOLDER = "annotations"


@dataclass(frozen=True)
class Annotations:
    """The sheets and versions of one set of clusters."""

    root: Path
    """The store."""
    clusters: str
    """Digest of the clusters."""

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.root / FOLDER / self.clusters

    def keep_sheet(self, name: str, key: Mapping[str, Any]) -> None:
        """Keeps what the lines of a sheet stand for; a sheet that is kept already stays as it is.

        Raises:
            StoreError: another sheet has this name.
        """
        with self._alone():
            path = self._sheet(name)
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                file_from_bytes(path, json_bytes(dict(key)))
            elif read_json(path)["items"] != key["items"]:
                raise StoreError(f"{path} is of another sheet", hint="move it away if nobody needs it")

    def sheet(self, name: str) -> Mapping[str, Any] | None:
        """What the lines of a sheet stand for; None where no sheet of these clusters has this name."""
        path = self._sheet(name)
        known: Mapping[str, Any] | None = read_json(path) if path.is_file() else None
        return known

    def keep_version(self, version: Mapping[str, Any]) -> tuple[int, bool]:
        """Keeps what one import brought, beside what earlier ones brought.

        Returns:
            The number of the version, and whether it is new: what the newest one says already is not kept a
            second time.
        """
        with self._alone():
            known = self.versions()
            if known and known[-1]["lines"] == version["lines"] and known[-1]["others"] == version["others"]:
                return len(known), False
            number = len(known) + 1
            path = self._version(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            file_from_bytes(path, json_bytes({**version, "version": number}))
            return number, True

    def versions(self) -> tuple[Mapping[str, Any], ...]:
        """What every import brought, the oldest first."""
        found: list[Mapping[str, Any]] = []
        while (path := self._version(len(found) + 1)).is_file():
            found.append(read_json(path))
        return tuple(found)

    def _alone(self) -> FileLock:
        with explain_disk_errors(self.root):
            self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / ".lock")

    def _sheet(self, name: str) -> Path:
        return self.folder / "sheets" / f"{name}.json"

    def _version(self, number: int) -> Path:
        return self.folder / "versions" / f"{number:04}.json"


def has_annotations(root: Path) -> bool:
    """Whether a store has any sheet at all."""
    return (root / FOLDER).is_dir()


def find_sheet(root: Path, name: str) -> Mapping[str, Any] | None:
    """What the lines of a sheet stand for, of whatever clusters; None where the store has no such sheet.

    Args:
        root: the store.
        name: of the sheet; what is no name of one is not there.
    """
    if not name.isalpha():
        return None
    for path in sorted((root / FOLDER).glob(f"*/sheets/{name}.json")):
        known: Mapping[str, Any] = read_json(path)
        return known
    return None
