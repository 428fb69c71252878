"""Components of codes, and whether what factors change adds up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32

from polylens.analyses.code_directions.components import (
    BITS,
    MAKERS,
    counts_up_to,
    factor_numbers,
    reconstruction_errors,
    reconstruction_number,
    shuffle_columns,
)
from polylens.analyses.code_directions.factors import Factors, halves_of
from polylens.bits import unpack_codes
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Codes, Findings, Number, Rows
from polylens.statistics import Blocks
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.code_directions import CodeDirections

_LEAST = 4
"""Fewest examples."""

_BLOCK = 4096
"""Rows unpacked at a time."""


def code_directions_findings(
    analysis: CodeDirections, rows: Rows, *, streams: Streams, progress: Progress
) -> Findings:
    """What components restore of held-out codes, and how the factors act together."""
    if rows.codes is None:
        raise DataError("code_directions needs codes", hint="give the spec a 'code:'")
    if len(Blocks.of(rows.origins.block)) < _LEAST:
        raise DataError(f"code_directions needs {_LEAST} examples at least, half of them held out")
    notes: list[str] = []
    numbers = {"names_polytopes": Number(float(rows.codes.scheme.names_polytopes))}
    rows, bits = _bits(analysis, rows, rows.codes, streams, notes)
    second_half = halves_of(rows, streams)
    values = {BITS: bits}
    with progress.task("finding components of codes", total=len(MAKERS) + 1, unit="families") as task:
        restored = _reconstruction(analysis, bits, rows, second_half, streams)
        task.advance()
        for family, maker in MAKERS.items():
            made = maker(bits[~second_half], count=analysis.components, generator=streams.generator(family))
            values[family] = made.scores(bits)
            notes += made.notes
            task.advance()
    for (family, _), number in restored.items():
        numbers[f"reconstruction.{family}"] = number
    factors = Factors.of(rows, analysis.factors)
    if factors is None:
        notes.append("No two factors are named: whether directions add up is not tested.")
    elif factors.cells(second_half).least < 2:
        notes.append("A cell of the two factors has fewer than two rows: additivity is not tested.")
    else:
        notes.append(factors.said)
        with progress.task("adding up", total=len(values), unit="families") as task:
            numbers |= factor_numbers(
                values,
                factors,
                rows,
                second_half,
                permutations=analysis.permutations,
                resamples=analysis.resamples,
                streams=streams,
                after_each=task.advance,
            )
    return Findings(numbers=numbers, tables={"curve": _curve_table(restored)}, notes=tuple(notes))


def _bits(
    analysis: CodeDirections, rows: Rows, codes: Codes, streams: Streams, notes: list[str]
) -> tuple[Rows, Float32[np.ndarray, "rows bits"]]:
    """The rows and the bits that are looked at, as 0 and 1."""
    if len(rows) > analysis.most_rows:
        blocks = Blocks.of(rows.origins.block)
        order = streams.generator("rows").permutation(len(blocks))
        kept = max(int((np.cumsum(blocks.sizes[order]) <= analysis.most_rows).sum()), _LEAST)
        notes.append(f"{kept} of {len(blocks)} examples were looked at.")
        chosen = blocks.rows_of(order[:kept])
        rows, codes = rows.take(chosen), codes.take(chosen)
    columns = np.arange(codes.scheme.bits)
    if len(columns) > analysis.most_bits:
        notes.append(f"{analysis.most_bits} of {len(columns)} bits were looked at.")
        drawn = streams.generator("bits").choice(len(columns), size=analysis.most_bits, replace=False)
        columns = np.sort(drawn)
    bits = np.empty((len(rows), len(columns)), dtype=np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = np.arange(start, min(start + _BLOCK, len(rows)))
        bits[part] = unpack_codes(codes.take(part))[:, columns]
    return rows, bits


def _reconstruction(
    analysis: CodeDirections,
    bits: Float32[np.ndarray, "rows bits"],
    rows: Rows,
    second_half: Bool[np.ndarray, "rows"],
    streams: Streams,
) -> dict[tuple[str, int], Number]:
    """What each number of components of each family restores of held-out codes."""
    halves = [bits[~second_half], bits[second_half]]
    mixed = [shuffle_columns(part, streams.generator("columns", i)) for i, part in enumerate(halves)]
    numbers = {}
    for family in ("pca", "nmf"):
        for count in counts_up_to(min(analysis.components, *halves[0].shape)):
            number = reconstruction_number(
                reconstruction_errors(*halves, family=family, count=count, streams=streams),
                reconstruction_errors(*mixed, family=family, count=count, streams=streams),
                example=rows.origins.block[second_half],
                resamples=analysis.resamples,
                streams=streams,
            )
            if number is not None:
                numbers[family, count] = number
    return numbers


def _curve_table(restored: Mapping[tuple[str, int], Number]) -> pd.DataFrame:
    """One line a family and number of components."""
    return pd.DataFrame(
        [
            (family, count, number.value, number.low, number.high, number.chance)
            for (family, count), number in restored.items()
        ],
        columns=["family", "components", "restored", "low", "high", "shuffled_columns"],
    )
