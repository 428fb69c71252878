"""What runs refer to in the store: the stages they name, what these stand on, and what was made of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polylens.digests import digest
from polylens.errors import StoreError
from polylens.progress import Progress, Silent
from polylens.settings import Settings
from polylens.store import Holding, Inventory, trackers
from polylens.tracking import PROVENANCE
from polylens.tracking.kept import Kept
from polylens.tracking.lookup import Lookup

_MADE_OF_OTHERS = ("comparison", "figures", "report", "overview")
"""Kinds that no run names: each is made of stages that runs name, and stays as long as they do. In the order
in which they stand on each other."""
_LOOKS = ("figures", "report", "overview")
_REMEMBERED = "behaviour"
"""By these a module from Python is known again; a few kB each, and nothing could tell who will ask."""
_MASK = "***"


@dataclass(frozen=True)
class Use:
    """One run, and the stages that it names."""

    run_id: str | None
    """MLflow's id; None of a run that still waits in the store to be sent."""
    name: str
    state: str
    """`finished`, `running`, `failed`, `killed`, or `waiting` to be sent."""
    stages: frozenset[str] | None
    """Digests; None where the run came to no end and does not say what it uses."""


def uses_of(settings: Settings, *, progress: Progress | None = None) -> tuple[Use, ...]:
    """Every run that may refer to stages of the project's store, the newest of each tracker first.

    Runs of all trackers that have used the store are asked for. Runs that were deleted refer to nothing.

    Args:
        settings: the project's, with its store and tracker.
        progress: where the asking is shown: a server takes a moment for each run.

    Raises:
        TrackingError: a tracker cannot be asked.
        StoreError: a tracker that used the store is known by an address without its password.
    """
    shown = progress or Silent()
    uses = [*_of_tracker(settings, shown)]
    for file, address in trackers(settings.store).items():
        if address == settings.tracking_shown:
            continue
        if _MASK in address:
            raise StoreError(
                f"runs in {address} use this store too, and cannot be asked without their password",
                hint=f"keep house from the project that logs there, or delete {file} if its runs are gone",
            )
        elsewhere = replace(settings, tracking_uri=address)
        if elsewhere.database is not None and not elsewhere.database.exists():
            raise StoreError(
                f"runs in {address} used this store, and that database is not there now",
                hint=f"bring it back, or delete {file} if its runs are gone",
            )
        uses += _of_tracker(elsewhere, shown)
    return (*uses, *_of_kept(settings))


def users_of(inventory: Inventory, uses: Sequence[Use]) -> Mapping[str, tuple[Use, ...]]:
    """The runs that use each stage, by digest; a stage that none uses is not among the keys.

    A run uses the stages that it names and all that they stand on; comparisons, pictures and pages are used
    by the runs whose stages they are made of. A picture or page that was made anew since is used by none.
    """
    by_digest = {each.digest: each for each in inventory.holdings}
    reach = [_closure(use.stages or (), by_digest) for use in uses]
    stages = {*by_digest, *(name for named in reach for name in named)}
    gone: set[str] = set()
    for kind in _MADE_OF_OTHERS:
        made = [each for each in inventory.holdings if each.kind == kind]
        gone |= _superseded(made) if kind in _LOOKS else set()
        live = set().union(*reach) - gone
        for each in made:
            needed = each.stands_on & stages
            if each.digest in gone or not needed or not needed <= live:
                continue
            for named in reach:
                # An overview is made of the stages of several runs.
                if needed & named if kind == "overview" else needed <= named:
                    named.add(each.digest)
    users: dict[str, tuple[Use, ...]] = {}
    for use, named in zip(uses, reach, strict=True):
        for name in (named & by_digest.keys()) - gone:
            users[name] = (*users.get(name, ()), use)
    return users


def is_remembered(holding: Holding) -> bool:
    """Whether a stage is kept although no run refers to it."""
    return holding.kind == _REMEMBERED


def _closure(names: Collection[str], by_digest: Mapping[str, Holding]) -> set[str]:
    """The stages and all that they stand on."""
    reached: set[str] = set()
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        if name in by_digest:
            waiting += by_digest[name].stands_on & by_digest.keys()
    return reached


def _superseded(made: Sequence[Holding]) -> set[str]:
    """Pictures and pages of which the same was made again by newer sources."""
    newest: dict[str, Holding] = {}
    older = set()
    for each in sorted(made, key=lambda holding: holding.created):
        if each.manifest is None:
            continue
        same = digest({key: value for key, value in each.identity.items() if key != "looks"})
        if same in newest:
            older.add(newest[same].digest)
        newest[same] = each
    return older


def _of_tracker(settings: Settings, progress: Progress) -> Iterator[Use]:
    lookup = Lookup(settings)
    runs = lookup.runs()
    parents = {run.parent_id for run in runs}
    with (
        tempfile.TemporaryDirectory() as folder,
        progress.task("asking MLflow", total=len(runs), unit="runs") as task,
    ):
        for run in runs:
            task.advance()
            if run.spec_digest is None:
                continue  # of another program
            file = lookup.file(run, PROVENANCE, into=Path(folder))
            stages = None if file is None else stages_named(file.read_bytes())
            if stages is None and (run.is_finished or run.run_id in parents):
                stages = frozenset()  # a parent names none: its children do
            yield Use(run.run_id, run.name, run.status.lower(), stages)


def _of_kept(settings: Settings) -> Iterator[Use]:
    kept = Kept(settings.store / "kept")
    waiting = kept.waiting_runs()
    parents = {run.parent.key for run in waiting if run.parent is not None}
    for run in waiting:
        content = kept.artifact(run, PROVENANCE)
        stages = None if content is None else stages_named(content)
        if stages is None and (run.key in parents or kept.rest_of(run) is not None):
            stages = frozenset()  # the rest of a run that MLflow has was asked for there
        yield Use(kept.rest_of(run), run.name, "waiting", stages)


def stages_named(provenance: bytes) -> frozenset[str] | None:
    """The digests that a `provenance.json` names; None where it does not say.

    >>> stages_named(b'{"stages": {"harvest": "ab"}}'), stages_named(b"{}")
    (frozenset({'ab'}), None)
    """
    try:
        plain: Any = json.loads(provenance)
        stages = plain.get("stages")
        return None if stages is None else frozenset(map(str, stages.values()))
    except (ValueError, AttributeError):
        return None
