"""Manifests: what a stored stage is made of, by which the store knows it is whole."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from polylens.digests import digest as digest_of
from polylens.digests import file_sha256
from polylens.errors import StoreError
from polylens.store.plain import as_plain, read_json, write_json
from polylens.store.versions import package_versions

SCHEMA = 1
"""Version of the store's layout; raised when older polylens could misread what is written."""

NAME = "manifest.json"
_OWN = "digest_of_this"
"""Key of the digest of everything else in a manifest; those of early polylens have none."""
_KEYS = {"schema", "kind", "digest", "about", "created", "versions", "files"}


class DamagedError(StoreError):
    """A stored stage is not what was written; it was put aside and can be computed again."""


@dataclass(frozen=True)
class StoredFile:
    """One file of a stage."""

    sha256: str
    n_bytes: int


@dataclass(frozen=True)
class Manifest:
    """What a stored stage is, and what it is made of."""

    kind: str
    digest: str
    about: Mapping[str, Any]
    """What the stage is, for people: plain data that its writer chose."""
    created: str
    """When it was finished, ISO 8601 in UTC."""
    versions: Mapping[str, str]
    """Versions of Python and of the packages that can change results."""
    files: Mapping[str, StoredFile]
    """By path inside the folder."""
    schema: int = SCHEMA

    @property
    def n_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(file.n_bytes for file in self.files.values())


def write_manifest(folder: Path, *, kind: str, digest: str, about: Mapping[str, Any]) -> None:
    """Writes down every file of a finished stage with its sha256."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    plain = {
        "schema": SCHEMA,
        "kind": kind,
        "digest": digest,
        "about": dict(about),
        # A run makes many stages in a second, and the oldest are cleared first.
        "created": datetime.now(UTC).isoformat(timespec="microseconds"),
        "versions": {"python": platform.python_version(), **package_versions()},
        "files": {
            path.relative_to(folder).as_posix(): {
                "sha256": file_sha256(path),
                "bytes": path.stat().st_size,
            }
            for path in paths
        },
    }
    plain = as_plain(plain)
    write_json(folder / NAME, {**plain, _OWN: digest_of(plain)})


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a stored stage.

    Raises:
        DamagedError: it cannot be read.
        StoreError: it was written by another version of the store.
    """
    try:
        plain = read_json(folder / NAME)
        schema = int(plain["schema"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"the manifest of {folder} cannot be read: {error}") from error
    if schema != SCHEMA:
        age = "a newer" if schema > SCHEMA else "an older"
        raise StoreError(
            f"{folder} was written by {age} polylens (store schema {schema}, this one reads {SCHEMA})",
            hint="use that version of polylens, or give this one another store with POLYLENS_STORE",
        )
    own = plain.pop(_OWN, None)
    if plain.keys() != _KEYS or own not in (None, digest_of(plain)):
        raise DamagedError(f"the manifest of {folder} has other contents than were written")
    try:
        return Manifest(
            kind=plain["kind"],
            digest=plain["digest"],
            about=plain["about"],
            created=plain["created"],
            versions=plain["versions"],
            files={name: StoredFile(file["sha256"], file["bytes"]) for name, file in plain["files"].items()},
            schema=schema,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"the manifest of {folder} cannot be read: {error!r}") from error


def damage(folder: Path, manifest: Manifest) -> str | None:
    """What is wrong with a stored stage, in one phrase; None where every byte is as written."""
    for name, file in manifest.files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != file.n_bytes:
            return f"{name} has {path.stat().st_size} bytes instead of {file.n_bytes}"
        if file_sha256(path) != file.sha256:
            return f"{name} has other contents than were written"
    return None
