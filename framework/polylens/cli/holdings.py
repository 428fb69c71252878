"""What a store holds, as `polylens store` prints it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from polylens.cli.columns import Column, Row, block
from polylens.cli.outlook import size_in_units

if TYPE_CHECKING:
    from polylens.store import Holding, Inventory, Leftover
    from polylens.upkeep.clearing import Clearing
    from polylens.upkeep.references import Use

_MOST_RUNS = 20
_LEFTOVERS = {
    "unfinished": "unfinished work",
    "damaged": "damaged, put aside",
    "of a job": "files of jobs that did their runs",
    "unnamed": "in no manifest",
    "foreign": "of another polylens",
}


def show_inventory(
    inventory: Inventory,
    users: Mapping[str, tuple[Use, ...]] | None,
    *,
    now: datetime,
    console: Console | None = None,
) -> None:
    """Prints what the store holds by kind and by run, and what no run refers to.

    Args:
        inventory: what lies in the store.
        users: the runs of each stage; None where they are not known.
        now: the time that ages are counted to.
        console: where to print it; the output if not given.
    """
    console = console or Console()
    heading = Text(str(inventory.root), style="bold")
    heading.append(
        f": {_count(len(inventory.holdings), 'stage')}, {size_in_units(inventory.n_bytes)}", style="not bold"
    )
    lines = [heading, *_by_kind(inventory, now=now, width=console.width), *_other_lines(inventory)]
    if users is not None and inventory.holdings:
        lines += [Text(), *_by_run(inventory, users, width=console.width), Text()]
        lines.append(_loose_line(inventory, users))
    for line in lines:
        console.print(line, soft_wrap=True)


def show_stages(
    holdings: Sequence[Holding],
    users: Mapping[str, tuple[Use, ...]] | None,
    *,
    now: datetime,
    console: Console | None = None,
) -> None:
    """Prints each stage on one line: its kind and name, size, age, digest, and who uses it."""
    console = console or Console()
    for each in holdings:
        line = Text(f"{each.kind}  ", style="dim").append(each.name or "?", style="not dim bold")
        line.append(
            f"  {size_in_units(each.n_bytes)}, {_age(now - each.created)}, {each.digest}", style="not dim"
        )
        if users is not None:
            line.append(f"  {_names(users.get(each.digest, ()))}", style="not dim")
        console.print(line, soft_wrap=True)


def show_clearing(
    clearing: Clearing, *, removed: bool, now: datetime, console: Console | None = None
) -> None:
    """Prints what would go, or what went, by kind; and what the store holds then."""
    console = console or Console()
    verb = "removed" if removed else "would remove"
    if not clearing.stages and not clearing.leftovers:
        console.print(Text("nothing to remove: runs refer to all of it, or it is younger than asked for"))
        return
    rows = [*_rows_of_stages(clearing.stages, now=now), *_rows_of_leftovers(clearing.leftovers)]
    for line in block(
        [Row(row[0]) for row in rows], _columns([row[1:] for row in rows]), width=console.width
    ):
        console.print(line, soft_wrap=True)
    console.print(
        Text(
            f"{verb} {_count(len(clearing.stages), 'stage')}"
            + (f" and {_count(len(clearing.leftovers), 'leftover')}" if clearing.leftovers else "")
            + f", {size_in_units(clearing.n_bytes)}; {size_in_units(clearing.n_bytes_left)} "
            + ("stay" if removed else "would stay")
        )
    )
    if not removed:
        console.print(Text("nothing was removed; --yes removes it"))


def inventory_record(
    inventory: Inventory, users: Mapping[str, tuple[Use, ...]] | None, *, trouble: str
) -> dict[str, Any]:
    """The store as `store ls --json` prints it; these keys are a promise to scripts."""
    return {
        "store": str(inventory.root),
        "bytes": inventory.n_bytes,
        "stages": [holding_record(each, users) for each in inventory.holdings],
        "leftovers": [leftover_record(each) for each in inventory.leftovers],
        "beside": dict(inventory.beside),
        "runs_unknown": trouble or None,
    }


def holding_record(each: Holding, users: Mapping[str, tuple[Use, ...]] | None) -> dict[str, Any]:
    """One stage for scripts."""
    runs = None if users is None else users.get(each.digest, ())
    return {
        "kind": each.kind,
        "name": each.name,
        "digest": each.digest,
        "bytes": each.n_bytes,
        "created": each.created.isoformat(),
        "runs": None if runs is None else [{"run_id": use.run_id, "name": use.name} for use in runs],
    }


def leftover_record(each: Leftover) -> dict[str, Any]:
    """Something that is no stage, for scripts."""
    return {"what": each.what, "path": str(each.path), "bytes": each.n_bytes, "about": each.about}


def _by_kind(inventory: Inventory, *, now: datetime, width: int) -> Iterator[Text]:
    rows = _rows_of_stages(inventory.holdings, now=now)
    yield from block([Row(row[0]) for row in rows], _columns([row[1:] for row in rows]), width=width)


def _other_lines(inventory: Inventory) -> Iterator[Text]:
    by_what: dict[str, list[Leftover]] = defaultdict(list)
    for each in inventory.leftovers:
        by_what[each.what].append(each)
    for what, leftovers in by_what.items():
        size = size_in_units(sum(each.n_bytes for each in leftovers))
        about = f" ({leftovers[0].path.name}: {leftovers[0].about})" if what == "foreign" else ""
        yield Text(f"{_LEFTOVERS[what]}: {_count(len(leftovers), 'item')}, {size}{about}")
    if inventory.beside:
        parts = (f"{name} {size_in_units(size)}" for name, size in inventory.beside.items())
        yield Text(f"beside the stages: {', '.join(parts)}", style="dim")


def _by_run(inventory: Inventory, users: Mapping[str, tuple[Use, ...]], *, width: int) -> Iterator[Text]:
    """Each run with the size of all that it uses, and of what only it uses."""
    whole: dict[Use, int] = defaultdict(int)
    alone: dict[Use, int] = defaultdict(int)
    counts: dict[Use, int] = defaultdict(int)
    for each in inventory.holdings:
        for use in (uses := users.get(each.digest, ())):
            whole[use] += each.n_bytes
            counts[use] += 1
            alone[use] += each.n_bytes if len(uses) == 1 else 0
    largest = sorted(whole, key=lambda use: -whole[use])
    shown = largest[:_MOST_RUNS]
    columns = [
        Column(("run",), tuple("" if use.run_id is None else use.run_id[:8] for use in shown)),
        Column(("state",), tuple(use.state for use in shown)),
        Column(("stages",), tuple(f"{counts[use]:,}" for use in shown)),
        Column(("size",), tuple(size_in_units(whole[use]) for use in shown)),
        Column(("its own",), tuple(size_in_units(alone[use]) for use in shown)),
    ]
    yield from block([Row(use.name) for use in shown], columns, width=width)
    if len(largest) > len(shown):
        yield Text(f"and {len(largest) - len(shown)} more runs with less; --json has all", style="dim")


def _loose_line(inventory: Inventory, users: Mapping[str, tuple[Use, ...]]) -> Text:
    loose = [each for each in inventory.holdings if each.digest not in users]
    if not loose:
        return Text("runs refer to every stage")
    size = size_in_units(sum(each.n_bytes for each in loose))
    return Text(f"no run refers to {_count(len(loose), 'stage')}, {size}; `polylens store gc` clears them")


def _rows_of_stages(holdings: Sequence[Holding], *, now: datetime) -> list[tuple[str, ...]]:
    by_kind: dict[str, list[Holding]] = defaultdict(list)
    for each in holdings:
        by_kind[each.kind].append(each)
    return [
        (
            kind,
            f"{len(each):,}",
            size_in_units(sum(holding.n_bytes for holding in each)),
            _age(now - min(holding.created for holding in each)),
            _age(now - max(holding.created for holding in each)),
        )
        for kind, each in by_kind.items()
    ]


def _rows_of_leftovers(leftovers: Sequence[Leftover]) -> list[tuple[str, ...]]:
    by_what: dict[str, list[int]] = defaultdict(list)
    for each in leftovers:
        by_what[each.what].append(each.n_bytes)
    return [
        (_LEFTOVERS[what], f"{len(sizes):,}", size_in_units(sum(sizes)), "", "")
        for what, sizes in by_what.items()
    ]


def _columns(rows: Sequence[Sequence[str]]) -> list[Column]:
    titles = ("number", "size", "oldest", "newest")
    return [Column((title,), tuple(row[index] for row in rows)) for index, title in enumerate(titles)]


def _names(uses: Iterable[Use]) -> str:
    names = [use.name for use in uses]
    if not names:
        return "no run"
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _age(age: timedelta) -> str:
    """An age in its largest unit; of a clock that was set back `now`."""
    seconds = age.total_seconds()
    for unit, least in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= least:
            return f"{seconds // least:,.0f} {unit}"
    return "now"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
