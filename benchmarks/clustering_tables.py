"""What `clustering.py` prints: tables in Markdown, as they go into RESULTS.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from clustering_runs import DISTURBED, OURS, Measured


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table in Markdown."""
    print("\n" + "\n".join(f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows)))


def methods(n_rows: int, measured: Mapping[str, Measured], left_out: Mapping[str, str]) -> None:
    """Time, memory and agreement of every method on the same rows."""
    ours = measured[OURS].seconds
    columns = ("rows", "method", "median s", "least to most", f"times {OURS}", "cores", "peak MB")
    table(
        (*columns, "spanning tree", "ARI", "AMI", "ARI planted", "clusters"),
        (
            (
                f"{n_rows:,}",
                name,
                f"{one.seconds:.3g}",
                f"{min(one.times):.3g} to {max(one.times):.3g}" if len(one.times) > 1 else "once",
                f"{one.seconds / ours:.3g}",
                f"{median(one.cores):.1f}",
                f"{one.peak:,.0f}",
                "the reference" if name == OURS else _WORDS[one.same_heights],
                *(f"{value:.3f}" for value in (*one.agreement, one.planted)),
                str(one.clusters),
            )
            for name, one in measured.items()
        ),
    )
    disturbed = {name: one.others for name, one in measured.items() if one.others >= DISTURBED}
    if disturbed:
        shares = (f"{name} {share:.0%}" for name, share in disturbed.items())
        print(f"\nOther programs took more than {DISTURBED:.0%} of the machine beside: {', '.join(shares)}.")
    if left_out:
        print(
            f"\nNot run on {n_rows:,} rows: {'; '.join(f'{name} ({why})' for name, why in left_out.items())}."
        )


def first_use(cold: Mapping[str, float], measured: Mapping[str, Measured]) -> None:
    """What a fresh process pays before its first result: imports, compiled code, a few rows."""
    table(
        ("method", "first use, nothing compiled, s", "first use later, s"),
        (
            (name, f"{cold[name]:.2f}", f"{median(one.first_uses):.2f}")
            for name, one in measured.items()
            if name in cold
        ),
    )


def passes(limit: str, found: Mapping[int, tuple[float, float]]) -> None:
    """Our time as a multiple of what the machine needs for all pairs once and twice."""
    table(
        ("rows", f"one pass at the {limit} limit, s", OURS, "times one pass", "times two passes"),
        (
            (
                f"{n_rows:,}",
                f"{least:.3g}",
                f"{seconds:.3g}",
                f"{seconds / least:.2f}",
                f"{seconds / least / 2:.2f}",
            )
            for n_rows, (least, seconds) in found.items()
        ),
    )


def permutations(widths: Sequence[int], agreement: Mapping[int, Mapping[str, Sequence[float]]]) -> None:
    """The least agreement of each method with itself."""
    table(
        ("method", *(f"{units:,} units" for units in widths)),
        (
            (name, *(f"{min(agreement[units][name]):.3f}" for units in widths))
            for name in agreement[widths[0]]
        ),
    )


def cuda(n_rows: int, units: int, one: Measured) -> None:
    """Time and memory on the device."""
    table(
        ("rows", "units", "s", "peak MB of the process", "peak MB of the device", "ARI planted", "clusters"),
        [
            (
                f"{n_rows:,}",
                f"{units:,}",
                f"{one.seconds:.3g}",
                f"{one.peak:,.0f}",
                f"{one.device:,.0f}",
                f"{one.planted:.3f}",
                str(one.clusters),
            )
        ],
    )


_WORDS = {True: "equal", False: "**other**", None: "not shown"}
