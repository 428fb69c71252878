"""What lies in a store: its stages, and everything else that takes room, with what that is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from polylens.errors import StoreError
from polylens.store.finished_jobs import JOBS, files_of_finished_jobs
from polylens.store.manifest import NAME, SCHEMA, DamagedError, Manifest, damage, read_manifest
from polylens.store.plain import digests_in

_VERSION = re.compile(r"v(\d+)")
_QUARANTINE = "quarantine"
Leftovers = Literal["unfinished", "damaged", "unnamed", "foreign", "of a job"]


@dataclass(frozen=True)
class Holding:
    """One stage as it lies on disk."""

    kind: str
    digest: str
    name: str
    """What its writer called it, such as `harvest.random_init#2`; empty where its manifest cannot be read."""
    created: datetime
    """When it was finished, in UTC."""
    n_bytes: int
    """All its files, the manifest included; without files that the manifest does not name."""
    folder: Path
    identity: Mapping[str, Any] = field(default_factory=dict, repr=False)
    manifest: Manifest | None = field(default=None, repr=False)
    fault: str = ""
    """Why its manifest cannot be read; empty where it can."""

    @cached_property
    def stands_on(self) -> frozenset[str]:
        """Every digest in its identity: those of stages that it was made from, and of other contents."""
        return frozenset(digests_in(self.identity))

    def damage(self) -> str | None:
        """What is wrong with it in one phrase, every byte read; None where all is as it was written."""
        return self.fault or None if self.manifest is None else damage(self.folder, self.manifest)


@dataclass(frozen=True)
class Leftover:
    """Something in the store that is no stage."""

    what: Leftovers
    """`unfinished` work, `damaged` stages that were put aside, files that are `unnamed` by any manifest, what
    another version of polylens wrote (`foreign`), and files `of a job` that did its run."""
    path: Path
    n_bytes: int
    about: str = ""
    """What it is in one phrase."""
    stage: tuple[str, str] | None = None
    """Kind and digest of the stage that unfinished work is of."""


@dataclass(frozen=True)
class Inventory:
    """Everything that a store holds."""

    root: Path
    holdings: tuple[Holding, ...]
    """Stages, by kind and age."""
    leftovers: tuple[Leftover, ...]
    beside: Mapping[str, int]
    """Bytes of what lies beside the stages, by name: `seen`, `kept`, ..."""

    @property
    def n_bytes(self) -> int:
        """Bytes of everything together."""
        stages = sum(each.n_bytes for each in self.holdings)
        return stages + sum(each.n_bytes for each in self.leftovers) + sum(self.beside.values())


def take_inventory(root: Path) -> Inventory:
    """Looks through a store; nothing is hashed, and nothing is changed.

    Raises:
        StoreError: the folder is there and is no store.
    """
    home = root / f"v{SCHEMA}"
    if root.exists() and not root.is_dir():
        raise StoreError(f"the store {root} is a file", hint="give it another place with POLYLENS_STORE")
    leftovers = [*_of_other_versions(root), *_of_finished_jobs(root)]
    holdings: list[Holding] = []
    for path in sorted(home.iterdir()) if home.is_dir() else ():
        if path.name == _QUARANTINE:
            leftovers += [Leftover("damaged", each, size_of(each), "put aside") for each in _within(path)]
        elif path.name in (".partial", ".unfinished"):
            leftovers += [_unfinished(each) for each in _within(path)]
        elif path.name.startswith("."):
            continue  # locks, which are empty files
        elif not path.is_dir():
            leftovers.append(Leftover("unnamed", path, size_of(path)))
        else:
            for folder in _within(path):
                held, beside = _look_into(folder, kind=path.name)
                holdings += held
                leftovers += beside
    by_age = sorted(holdings, key=lambda each: (each.kind, each.created, each.digest))
    others = _beside(root)
    if JOBS in others:
        others[JOBS] -= sum(each.n_bytes for each in leftovers if each.what == "of a job")
    return Inventory(root, tuple(by_age), tuple(leftovers), others)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; links are not followed."""
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    sizes = 0
    for file in path.rglob("*"):
        try:
            sizes += file.lstat().st_size if file.is_symlink() or not file.is_dir() else 0
        except FileNotFoundError:
            continue  # a run that goes on has just finished with it
    return sizes


def _look_into(folder: Path, *, kind: str) -> tuple[list[Holding], list[Leftover]]:
    """The stage that a folder holds, and the files in it that are not the stage's."""
    if not (folder / NAME).is_file():
        return [], [Leftover("unnamed", folder, size_of(folder), "a folder without a manifest")]
    try:
        manifest = read_manifest(folder)
    except DamagedError as error:
        created = datetime.fromtimestamp((folder / NAME).stat().st_mtime, UTC)
        return [Holding(kind, folder.name, "", created, size_of(folder), folder, fault=error.message)], []
    except StoreError as error:
        return [], [Leftover("foreign", folder, size_of(folder), error.message)]
    named = {folder / name for name in (NAME, *manifest.files)}
    files = {path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}
    identity = manifest.about.get("identity")
    holding = Holding(
        kind,
        folder.name,
        str(manifest.about.get("name", "")),
        datetime.fromisoformat(manifest.created),
        sum(path.lstat().st_size for path in files & named),
        folder,
        identity if isinstance(identity, Mapping) else {},
        manifest,
    )
    return [holding], [Leftover("unnamed", path, size_of(path)) for path in sorted(files - named)]


def _unfinished(folder: Path) -> Leftover:
    kind, _, digest = folder.name.partition("-")
    return Leftover("unfinished", folder, size_of(folder), f"of {kind} {digest[:8]}", (kind, digest))


def _of_other_versions(root: Path) -> Iterator[Leftover]:
    for path in _within(root):
        version = _VERSION.fullmatch(path.name)
        if version is None or int(version[1]) == SCHEMA:
            continue
        age = "a newer" if int(version[1]) > SCHEMA else "an older"
        yield Leftover("foreign", path, size_of(path), f"of {age} polylens (this one reads v{SCHEMA})")


def _of_finished_jobs(root: Path) -> Iterator[Leftover]:
    for job, path in files_of_finished_jobs(root):
        yield Leftover("of a job", path, size_of(path), f"of job {job}, which did its run")


def _beside(root: Path) -> dict[str, int]:
    return {path.name: size_of(path) for path in _within(root) if not _VERSION.fullmatch(path.name)}


def _within(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
