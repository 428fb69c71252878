"""Clearing the store of what no run refers to: first chosen, then said, and only then removed."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from polylens.errors import StoreError, UsageError
from polylens.settings import Settings
from polylens.store import Holding, Inventory, Leftover, cleared, take_inventory
from polylens.upkeep.references import Use, is_remembered, users_of, uses_of

_MOST_NAMED = 3


@dataclass(frozen=True)
class Clearing:
    """What would go from a store, and what stays."""

    inventory: Inventory
    stages: tuple[Holding, ...]
    """Stages that would go."""
    leftovers: tuple[Leftover, ...]
    """What is no stage and would go."""
    users: Mapping[str, tuple[Use, ...]]
    """Runs that use each stage, by digest."""

    @property
    def n_bytes(self) -> int:
        """Bytes that would be free."""
        return sum(each.n_bytes for each in self.stages) + sum(each.n_bytes for each in self.leftovers)

    @property
    def n_bytes_left(self) -> int:
        """Bytes that the store would hold."""
        return self.inventory.n_bytes - self.n_bytes


def choose(
    settings: Settings,
    *,
    now: datetime,
    older_than: timedelta | None = None,
    keep: int | None = None,
    without: Collection[str] = (),
) -> Clearing:
    """What no run refers to and may go; nothing is removed.

    Args:
        settings: the project's, with its store and tracker.
        now: the time from which ages are counted, in UTC.
        older_than: only what was finished longer ago; None takes every age.
        keep: only as much, the oldest first, as brings the store to at most so many bytes; None takes all.
        without: MLflow's ids of runs that are taken as deleted.

    Raises:
        TrackingError: a tracker cannot be asked, so that nobody can say what its runs refer to.
        StoreError: a run that came to no end does not say what it uses, or a tracker is known no more.
    """
    inventory = take_inventory(settings.store)
    uses = [use for use in uses_of(settings) if use.run_id not in without]
    _check_all_known(uses)
    users = users_of(inventory, uses)
    named = frozenset().union(*(use.stages or frozenset() for use in uses))
    loose = sorted(
        (each for each in inventory.holdings if each.digest not in users and not is_remembered(each)),
        key=lambda each: (each.created, each.digest),
    )
    leftovers = tuple(each for each in inventory.leftovers if _may_go(each, named))
    if older_than is not None:
        loose = [each for each in loose if each.created <= now - older_than]
        leftovers = tuple(each for each in leftovers if _age(each.path, now) >= older_than)
    if keep is not None:
        spare = inventory.n_bytes - sum(each.n_bytes for each in leftovers) - keep
        loose = _oldest(loose, n_bytes=spare)
    return Clearing(inventory, _with_what_was_made(loose, inventory, users), leftovers, users)


def clear(settings: Settings, *, now: datetime, older_than: timedelta | None, keep: int | None) -> Clearing:
    """Removes what `choose` says, while no run uses the store, and returns what was removed.

    Raises:
        TrackingError: a tracker cannot be asked; nothing was removed.
        StoreError: a run uses the store now, or as `choose` raises; nothing was removed.
    """
    with cleared(settings.store):
        # Chosen here: what a run began to use since somebody looked stays.
        clearing = choose(settings, now=now, older_than=older_than, keep=keep)
        going: list[Holding | Leftover] = [*clearing.stages, *clearing.leftovers]
        for each in going:
            _remove(each)
    return clearing


def _check_all_known(uses: Sequence[Use]) -> None:
    silent = [use for use in uses if use.stages is None]
    if not silent:
        return
    named = ", ".join(f"'{use.name}' ({use.state})" for use in silent[:_MOST_NAMED])
    more = f" and {len(silent) - _MOST_NAMED} more" if len(silent) > _MOST_NAMED else ""
    raise StoreError(
        f"runs that came to no end do not say which stages they use: {named}{more}; nothing is removed",
        hint="run their specs again, or give them up with `polylens rm RUN`, and then clear the store",
    )


def _may_go(leftover: Leftover, named: frozenset[str]) -> bool:
    if leftover.what == "foreign":
        return False
    return leftover.stage is None or leftover.stage[1] not in named


def _oldest(loose: Sequence[Holding], *, n_bytes: int) -> list[Holding]:
    """As many of the oldest as free so many bytes."""
    chosen: list[Holding] = []
    for each in loose:
        if n_bytes <= 0:
            break
        chosen.append(each)
        n_bytes -= each.n_bytes
    return chosen


def _with_what_was_made(
    chosen: Sequence[Holding], inventory: Inventory, users: Mapping[str, tuple[Use, ...]]
) -> tuple[Holding, ...]:
    """The stages and, of those that no run uses, all that stand on them: alone they would be of no use."""
    going = {each.digest for each in chosen}
    while True:
        more = {
            each.digest
            for each in inventory.holdings
            if each.digest not in going and each.digest not in users and each.stands_on & going
        }
        if not more:
            return tuple(each for each in inventory.holdings if each.digest in going)
        going |= more


def _age(path: Path, now: datetime) -> timedelta:
    return now - datetime.fromtimestamp(path.lstat().st_mtime, now.tzinfo)


def _remove(each: Holding | Leftover) -> None:
    path = each.folder if isinstance(each, Holding) else each.path
    try:
        if isinstance(each, Holding):
            # Out of its place in one step: half a stage must never pass for one.
            doomed = path.parents[1] / ".unfinished" / f"{each.kind}-{each.digest}"
            doomed.parent.mkdir(exist_ok=True)
            shutil.rmtree(doomed, ignore_errors=True)
            path = path.rename(doomed)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        return  # it lay in a folder that went before it
    except OSError as error:
        raise StoreError(
            f"{path} cannot be removed: {error.strerror}", hint="mend the permissions of the store"
        ) from error


def age_in_words(text: str) -> timedelta:
    """An age such as `30d`, `12h` or `2w`.

    Raises:
        UsageError: it is none.

    >>> age_in_words("36h").days
    1
    """
    units = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isdecimal():
        raise UsageError(f"'{text}' is no age", hint="write hours, days or weeks: 12h, 30d, 2w")
    return int(number) * units[unit]


def size_in_words(text: str) -> int:
    """Bytes of a size such as `2GB`, `500MB` or `0`.

    Raises:
        UsageError: it is none.

    >>> size_in_words("1.5 GB")
    1500000000
    """
    units = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "B": 1.0}
    plain = text.strip().upper()
    unit = next((unit for unit in units if plain.endswith(unit)), "")
    try:
        size = float(plain.removesuffix(unit)) * units.get(unit, 1.0)
        if not 0 <= size < 1e18:
            raise ValueError
    except ValueError:
        raise UsageError(f"'{text}' is no size", hint="write for example 500MB or 2GB") from None
    return int(size)
