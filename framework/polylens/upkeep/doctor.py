"""Whether all is well here: packages, devices, the store, the tracker, the project, each on one line."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from polylens.errors import PolylensError
from polylens.settings import Settings
from polylens.upkeep.check import Check
from polylens.upkeep.names import examine_names

_LITTLE_DISK = 2e9
"""Bytes below which a run of a middling network may find no room."""


def examine(settings: Settings, *, folder: Path) -> Iterator[Check]:
    """Everything that is worth looking at, one after the other; some of it imports torch and MLflow.

    Args:
        settings: the project's.
        folder: where the command was given, from which registries are looked for.
    """
    yield Check("ok", "python", f"{platform.python_version()} on {platform.platform()}")
    yield from _packages()
    yield _torchvision()
    yield from _devices()
    yield _project(settings)
    yield from _store(settings)
    yield from _disks(settings)
    yield _tracker(settings)
    yield _kept(settings)
    yield from examine_names(folder)


def _packages() -> Iterator[Check]:
    """The versions that count, and every package that is missing or of another version than asked for."""
    from packaging.requirements import Requirement

    shown = ("polylens", "torch", "torchvision", "pytorch-lightning", "transformers", "numpy", "mlflow")
    yield Check("ok", "packages", ", ".join(f"{name} {_version(name)}" for name in shown))
    for text in requires("polylens") or ():
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        installed = _version(requirement.name)
        if installed == "missing" or not requirement.specifier.contains(installed, prereleases=True):
            wanted = f"{requirement.name}{requirement.specifier}"
            yield Check(
                "problem",
                requirement.name,
                f"{installed}, and polylens needs {wanted}",
                f"pip install '{wanted}'",
            )


def _torchvision() -> Check:
    """Whether the wheels of torch and torchvision are made for each other, and load."""
    from packaging.requirements import Requirement

    torch, torchvision = _version("torch"), _version("torchvision")
    needed = [Requirement(text) for text in _requires("torchvision")]
    wanted = next((each for each in needed if each.name == "torch"), None)
    if wanted is not None and not wanted.specifier.contains(torch, prereleases=True):
        return Check(
            "problem",
            "torchvision",
            f"torchvision {torchvision} is made for torch{wanted.specifier}, and torch is {torch}",
            "install both in one command, from one index: pip install --upgrade torch torchvision",
        )
    try:
        from polylens.imports import torchvision as load

        load()
    except Exception as error:  # whatever a wheel for another torch raises
        said = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        return Check("problem", "torchvision", said, "install torch and torchvision again, in one command")
    return Check("ok", "torchvision", f"torchvision {torchvision} fits torch {torch}")


def _devices() -> Iterator[Check]:
    import torch

    threads = torch.get_num_threads()
    yield Check("ok", "cpu", f"{threads} threads of {os.cpu_count() or threads} processors")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            memory = torch.cuda.get_device_properties(index).total_memory
            yield Check("ok", "gpu", f"{torch.cuda.get_device_name(index)}, {memory / 1e9:.0f} GB")
    elif torch.version.cuda is not None and shutil.which("nvidia-smi") is not None:
        yield Check(
            "warning",
            "gpu",
            f"there is a driver, and torch (for CUDA {torch.version.cuda}) finds no GPU",
            "compare `nvidia-smi` with the CUDA version of torch's wheel; runs use the CPU meanwhile",
        )
    else:
        yield Check("ok", "gpu", "none; runs use the CPU")


def _project(settings: Settings) -> Check:
    if settings.is_project:
        return Check("ok", "project", str(settings.project))
    return Check(
        "warning",
        "project",
        f"no mlflow.yaml here or above; results go to {settings.project}",
        "an empty mlflow.yaml marks a folder as the project",
    )


def _store(settings: Settings) -> Iterator[Check]:
    """Whether the store can be written, what it lacks room for, and what in it is not its own."""
    from polylens.store import take_inventory

    root = settings.store
    place = next(path for path in (root, *root.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        yield Check(
            "problem",
            "store",
            f"{root} cannot be written: {error.strerror}",
            "mend the permissions, or give the store another place with POLYLENS_STORE",
        )
        return
    free = shutil.disk_usage(place).free
    if free < _LITTLE_DISK:
        todo = "`polylens store gc` clears what no run refers to; POLYLENS_STORE gives it another place"
        yield Check("warning", "disk", f"{free / 1e9:.1f} GB free for the store", todo)
    else:
        yield Check("ok", "disk", f"{free / 1e9:,.0f} GB free for the store")
    try:
        inventory = take_inventory(root)
    except PolylensError as error:
        yield Check("problem", "store", error.message, error.hint or "")
        return
    said = f"{root}, {len(inventory.holdings):,} stages, {inventory.n_bytes / 1e6:,.0f} MB"
    yield Check("ok", "store", said)
    for each in inventory.leftovers:
        if each.what == "foreign":
            todo = "use that version for it, or delete it if nobody does"
            yield Check("warning", "store", f"{each.path.name}: {each.about}", todo)
    strange = [each for each in inventory.leftovers if each.what in ("damaged", "unnamed")]
    if strange:
        size = sum(each.n_bytes for each in strange) / 1e6
        said = f"{len(strange)} items that no manifest names or that were put aside, {size:,.0f} MB"
        yield Check("warning", "store", said, "`polylens store gc` removes them")
    if faulty := [each for each in inventory.holdings if each.fault]:
        yield Check(
            "warning", "store", f"{len(faulty)} stages are damaged", "`polylens store verify` names them"
        )


def _disks(settings: Settings) -> Iterator[Check]:
    """Whether locks of the store's disk hold, and whether a database lies where several machines write."""
    from polylens.store import disk_of, lock_of

    place = next(path for path in (settings.store, *settings.store.parents) if path.exists())
    disk = disk_of(place)
    another = "give the store another disk with POLYLENS_STORE"
    try:
        lock_of(place / "locks")
    except PolylensError as error:
        yield Check("problem", "locks", error.message, error.hint or another)
    except OSError:
        pass  # it cannot be written, which was said before
    else:
        option = disk.split_locks
        if option is None:
            yield Check("ok", "locks", f"the store's disk{f' ({disk.kind})' * bool(disk.kind)} has locks")
        else:
            said = f"the store's disk ({disk.kind}, mounted with {option}) has locks of one machine alone"
            yield Check("warning", "locks", said, f"use it from one machine at a time, or {another}")
    database = settings.database
    if database is not None and (kind := disk_of(database.parent)).is_network:
        said = f"{database} lies on a network disk ({kind.kind}), which SQLite is not made for"
        todo = "write to it from one machine at a time, as --launcher slurm does, or use an MLflow server"
        yield Check("warning", "database", said, todo)


def _tracker(settings: Settings) -> Check:
    from polylens.tracking.lookup import Lookup

    shown = settings.tracking_shown
    database = settings.database
    if database is not None and not database.exists():
        return Check("ok", "tracker", f"{shown}, which the first run makes")
    try:
        _ = Lookup(settings).client
    except PolylensError as error:
        away = "start it, or set tracking_uri in mlflow.yaml; runs keep what they log until it is back"
        return Check("problem", "tracker", f"{shown}: {error.message}", error.hint or away)
    return Check("ok", "tracker", f"{shown} answers, and its database is of the installed MLflow")


def _kept(settings: Settings) -> Check:
    from polylens.tracking.kept import Kept

    try:
        waiting = Kept(settings.store / "kept").waiting_runs()
    except (OSError, ValueError, KeyError, TypeError) as error:
        said = f"what is kept for MLflow cannot be read: {error}"
        return Check("problem", "kept", said, f"look into {settings.store / 'kept'}")
    if not waiting:
        return Check("ok", "kept", "nothing waits to be sent to MLflow")
    names = ", ".join(run.name for run in waiting[:3])
    said = f"{len(waiting)} runs wait to be sent to MLflow: {names}{', ...' * (len(waiting) > 3)}"
    return Check("warning", "kept", said, "the next `polylens run` or `polylens ui` sends them")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _requires(package: str) -> list[str]:
    try:
        return requires(package) or []
    except PackageNotFoundError:
        return []
