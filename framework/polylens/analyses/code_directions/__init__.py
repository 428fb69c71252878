"""Has code space directions, and do they add up?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from polylens.analyses import Need, Outcomes, RowAnalysis
from polylens.records import Figure, Findings, Rows
from polylens.work import Work


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

    def run(self, rows: Rows, work: Work) -> Findings:
        """What components restore of held-out codes, and how the factors act together."""
        from polylens.analyses.code_directions.findings import code_directions_findings

        return code_directions_findings(self, rows, streams=work.streams, progress=work.progress)

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """What components restore, and whether factors add up, beside controls."""
        from polylens.analyses.code_directions.pictures import code_direction_pictures

        return code_direction_pictures(outcomes, subject=subject)
