"""Has code space directions, and do they add up?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.analyses import Keeper, Need, Outcomes, RowAnalysis
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Codes, Figure, Findings, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from jaxtyping import Bool, Float32

_LEAST = 4
"""Fewest examples."""
_BLOCK = 4096
"""Rows unpacked at a time."""


class CodeDirections(RowAnalysis):
    """PCA, NMF and ICA of the bits of codes: what they restore, and whether what they carry adds up.

    `reconstruction`: components are found on the codes of half of the examples, and held-out codes restored
    from them: the share of their variance that comes back. ICA restores what PCA does, since both have the
    same span. Where bits are independent, as where each column is shuffled alone, nothing comes back.

    Additivity needs two factors that rows have or not. Four cells of rows, neither, one, the other, both,
    have four mean codes; were codes made by adding directions, these would be the corners of a
    parallelogram. `additive_share` is the share of the variance of the four means that the factors explain
    without their interaction: 1 is a parallelogram, 2/3 four unrelated points. `same_direction` is the
    cosine of what a factor adds without the other factor and with it: 1 and 0. Both are products of two
    halves of the examples, so that noise does not raise or lower them. `analogies` moves held-out rows by
    what a factor adds where the other factor is not as it is in the row, and counts how often the nearest
    row then has the changed factor and the same other: beside shuffled columns of what is added, beside no
    move (`analogies_unmoved`), and beside how often a row's nearest is of its own cell at all
    (`analogies_at_home`). All are taken of bits and of scores along each family's components.

    Source: ours; the authors of Black et al. (2022) left open whether code space has directions. What they
        would find is unknown.
    Controls: codes with shuffled columns; other factors of the same size (of classes; of text, of tokens
        about as frequent); of the spec: other networks.
    """

    version: ClassVar[int] = 2
    headline: ClassVar[tuple[str, ...]] = ("reconstruction.pca", "additive_share.bits", "same_direction.bits")
    answer: ClassVar[tuple[str, ...]] = ("same_direction.bits", "reconstruction.pca")

    factors: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Two lists of classes: a row has a factor if its class is in the list. Left out for text: that the token
    has a letter, and that the token before has one. Left out for classes: no test of additivity."""
    components: int = Field(default=16, ge=1)
    """How many components each family has at most."""
    most_rows: int = Field(default=20_000, ge=4)
    """Most rows looked at, drawn at random by whole examples."""
    most_bits: int = Field(default=4096, ge=1)
    """Most bits looked at, drawn at random."""
    permutations: int = Field(default=100, ge=20)
    """Draws of other factors, for chance levels."""
    resamples: int = Field(default=100, ge=20)
    """Resamples of the examples, for intervals; components stay as they are."""

    def needs(self) -> frozenset[Need]:
        """Codes."""
        return frozenset({"codes"})

    def why_no_code(self, *, is_graded: bool) -> str | None:
        """Graded codes have no bits."""
        return "it needs the bits of a hard code (kind: sign), and the code is graded" if is_graded else None

    def run(
        self,
        rows: Rows,
        *,
        streams: Streams,
        upstream: Mapping[str, Findings],
        progress: Progress,
        keeper: Keeper | None = None,
    ) -> Findings:
        """What components restore of held-out codes, and how the factors act together."""
        from polylens.analyses.code_directions.components import BITS, MAKERS, factor_numbers
        from polylens.analyses.code_directions.factors import Factors, halves_of
        from polylens.statistics import Blocks

        if rows.codes is None:
            raise DataError("code_directions needs codes", hint="give the spec a 'code:'")
        if len(Blocks.of(rows.origins.block)) < _LEAST:
            raise DataError(f"code_directions needs {_LEAST} examples at least, half of them held out")
        notes: list[str] = []
        numbers = {"names_polytopes": Number(float(rows.codes.scheme.names_polytopes))}
        rows, bits = self._bits(rows, rows.codes, streams, notes)
        second_half = halves_of(rows, streams)
        values = {BITS: bits}
        with progress.task("finding components of codes", total=len(MAKERS) + 1, unit="families") as task:
            restored = self._restored(bits, rows, second_half, streams)
            task.advance()
            for family, maker in MAKERS.items():
                made = maker(bits[~second_half], count=self.components, generator=streams.generator(family))
                values[family] = made.scores(bits)
                notes += made.notes
                task.advance()
        for (family, _), number in restored.items():
            numbers[f"reconstruction.{family}"] = number
        factors = Factors.of(rows, self.factors)
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
                    permutations=self.permutations,
                    resamples=self.resamples,
                    streams=streams,
                    after_each=task.advance,
                )
        return Findings(numbers=numbers, tables={"curve": _curve_table(restored)}, notes=tuple(notes))

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """What components restore, and whether factors add up, beside controls."""
        from polylens.analyses.code_directions.pictures import code_direction_pictures

        return code_direction_pictures(outcomes, subject=subject)

    def _bits(
        self, rows: Rows, codes: Codes, streams: Streams, notes: list[str]
    ) -> tuple[Rows, Float32[np.ndarray, "rows bits"]]:
        """The rows and the bits that are looked at, as 0 and 1."""
        import numpy as np

        from polylens.bits import unpacked
        from polylens.statistics import Blocks

        if len(rows) > self.most_rows:
            blocks = Blocks.of(rows.origins.block)
            order = streams.generator("rows").permutation(len(blocks))
            kept = max(int((np.cumsum(blocks.sizes[order]) <= self.most_rows).sum()), _LEAST)
            notes.append(f"{kept} of {len(blocks)} examples were looked at.")
            chosen = blocks.rows_of(order[:kept])
            rows, codes = rows.take(chosen), codes.take(chosen)
        columns = np.arange(codes.scheme.bits)
        if len(columns) > self.most_bits:
            notes.append(f"{self.most_bits} of {len(columns)} bits were looked at.")
            drawn = streams.generator("bits").choice(len(columns), size=self.most_bits, replace=False)
            columns = np.sort(drawn)
        bits = np.empty((len(rows), len(columns)), dtype=np.float32)
        for start in range(0, len(rows), _BLOCK):
            part = np.arange(start, min(start + _BLOCK, len(rows)))
            bits[part] = unpacked(codes.take(part))[:, columns]
        return rows, bits

    def _restored(
        self,
        bits: Float32[np.ndarray, "rows bits"],
        rows: Rows,
        second_half: Bool[np.ndarray, "rows"],
        streams: Streams,
    ) -> dict[tuple[str, int], Number]:
        """What each number of components of each family restores of held-out codes."""
        from polylens.analyses.code_directions.components import (
            counts_up_to,
            restored_errors,
            restored_number,
            shuffled_columns,
        )

        halves = [bits[~second_half], bits[second_half]]
        mixed = [shuffled_columns(part, streams.generator("columns", i)) for i, part in enumerate(halves)]
        numbers = {}
        for family in ("pca", "nmf"):
            for count in counts_up_to(min(self.components, *halves[0].shape)):
                number = restored_number(
                    restored_errors(*halves, family=family, count=count, streams=streams),
                    restored_errors(*mixed, family=family, count=count, streams=streams),
                    example=rows.origins.block[second_half],
                    resamples=self.resamples,
                    streams=streams,
                )
                if number is not None:
                    numbers[family, count] = number
        return numbers


def _curve_table(restored: Mapping[tuple[str, int], Number]) -> pd.DataFrame:
    """One line a family and number of components."""
    import pandas as pd

    return pd.DataFrame(
        [
            (family, count, number.value, number.low, number.high, number.chance)
            for (family, count), number in restored.items()
        ],
        columns=["family", "components", "restored", "low", "high", "shuffled_columns"],
    )
