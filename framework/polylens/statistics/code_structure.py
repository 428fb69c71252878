"""Whether two codes of the same rows have the same structure: which rows are near each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from polylens.bits import unpack
from polylens.records import CodeLayer, Codes, Number
from polylens.statistics.blocks import Blocks
from polylens.statistics.correlations import partial_rank_correlation, rank_correlation
from polylens.statistics.neighbours import nearest_sets
from polylens.statistics.pairs import Pairs, class_pairs, code_distances
from polylens.statistics.resampling import bootstrap_interval
from polylens.streams import Streams

Distances = Float64[np.ndarray, "pairs"]


@dataclass(frozen=True)
class CodeFrame:
    """The pairs and rows at which codes are compared, the same for all of them."""

    blocks: Blocks
    pairs: Pairs
    """Pairs of rows of different examples."""
    chosen: Int64[np.ndarray, "chosen"]
    """Rows whose neighbours are compared."""
    neighbours: int
    permutations: int
    resamples: int
    streams: Streams

    @staticmethod
    def of(
        blocks: Blocks,
        *,
        pairs: int,
        rows: int,
        neighbours: int,
        permutations: int,
        resamples: int,
        streams: Streams,
    ) -> CodeFrame:
        """Pairs and rows drawn at random; rows in whole examples."""
        drawn = class_pairs(blocks.block, same=False, count=pairs, generator=streams.generator("pairs"))
        order = streams.generator("rows").permutation(len(blocks))
        sizes = np.cumsum(blocks.sizes[order])
        examples = order[: max(int(np.searchsorted(sizes, rows, side="right")), min(2, len(blocks)))]
        chosen = blocks.rows_of(examples)
        return CodeFrame(blocks, drawn, chosen, neighbours, permutations, resamples, streams)

    def only(self, kept: Bool[np.ndarray, "pairs"]) -> CodeFrame:
        """This frame with only the pairs that are kept."""
        return replace(self, pairs=Pairs(self.pairs.left[kept], self.pairs.right[kept]))

    def distances(self, codes: Codes, source: Int64[np.ndarray, "rows"] | None = None) -> Distances:
        """Mean over the code's layers of the share of units that differ, pair by pair.

        Args:
            codes: of all rows.
            source: the row that stands for each row, where rows are permuted.
        """
        pairs = self.pairs
        if source is not None:
            pairs = Pairs(source[pairs.left], source[pairs.right])
        return np.asarray(code_distances(codes, pairs=pairs).mean(axis=1))

    def near(self, codes: Codes, name: str) -> Bool[np.ndarray, "chosen chosen"]:
        """Which of the chosen rows are among the nearest of each, those of its own example left out."""
        upper = np.triu_indices(len(self.chosen), k=1)
        pairs = Pairs(self.chosen[upper[0]], self.chosen[upper[1]])
        square = np.zeros((len(self.chosen), len(self.chosen)))
        square[upper] = code_distances(codes, pairs=pairs).mean(axis=1)
        return nearest_sets(
            square + square.T,
            count=self.neighbours,
            apart=self.blocks.block[self.chosen],
            generator=self.streams.generator("ties", name),
        )

    def row_permutations(self) -> Iterator[Int64[np.ndarray, "rows"]]:
        """Permutations of rows that move whole examples."""
        for number in range(self.permutations):
            yield self.blocks.relaid_rows(self.streams.generator("permuted", number))


def distance_agreement(frame: CodeFrame, one: Distances, other: Distances, moved: list[Distances]) -> Number:
    """Rank correlation of the distances of the same pairs in two codes.

    Args:
        frame: the pairs.
        one: distances in one code.
        other: in the other.
        moved: in the other, of the pairs under permutations of its rows.

    Source: Kriegeskorte, Mur and Bandettini 2008, "Representational similarity analysis".
    """
    chance = [rank_correlation(one, each) for each in moved]
    return _number(
        frame, lambda index: rank_correlation(one[index], other[index]), chance, "permutations of examples"
    )


def agreement_beyond(
    frame: CodeFrame, one: Distances, other: Distances, beyond: Distances, moved: list[Distances]
) -> Number:
    """Rank correlation of the distances of pairs in two codes, beyond what a third distance explains.

    Args:
        frame: the pairs.
        one: distances in one code.
        other: in the other.
        beyond: the third distance, such as that of the inputs.
        moved: in the other code, of the pairs under permutations of its rows.
    """
    chance = [partial_rank_correlation(one, each, beyond=beyond) for each in moved]
    return _number(
        frame,
        lambda index: partial_rank_correlation(one[index], other[index], beyond=beyond[index]),
        chance,
        "permutations of examples",
    )


def neighbour_agreement(
    frame: CodeFrame, one: Bool[np.ndarray, "chosen chosen"], other: Bool[np.ndarray, "chosen chosen"]
) -> Number:
    """Mean share of a row's nearest rows in one code that are among its nearest in the other.

    Source: Huh, Cheung, Wang and Isola 2024, "The Platonic Representation Hypothesis", mutual k-nearest
        neighbours.
    """
    counts = np.maximum(one.sum(axis=1), 1)
    shares = (one & other).sum(axis=1) / counts
    blocks = Blocks.of(frame.blocks.block[frame.chosen])
    sums = np.bincount(blocks.block, weights=shares, minlength=len(blocks))
    drawn = []
    for number in range(frame.resamples):
        times = blocks.multiplicities(frame.streams.generator("rows again", number))
        drawn.append(float((times * sums).sum() / (times * blocks.sizes).sum()))
    interval = bootstrap_interval(drawn)
    chance = []
    for number in range(frame.permutations):
        source = blocks.relaid_rows(frame.streams.generator("neighbours permuted", number))
        chance.append(float(((one & other[np.ix_(source, source)]).sum(axis=1) / counts).mean()))
    return Number(
        float(shares.mean()),
        interval.low,
        interval.high,
        interval.meaning,
        chance=float(np.mean(chance)),
        chance_is=f"mean of {len(chance)} permutations of examples",
    )


def code_halves(codes: Codes, generator: np.random.Generator) -> tuple[Codes, Codes] | None:
    """The codes of the rows by a random half of each layer's units, and by the other half.

    None where a layer has fewer than two units.
    """
    kept: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    schemes: tuple[list[CodeLayer], list[CodeLayer]] = ([], [])
    for layer, columns in zip(codes.scheme.layers, codes.scheme.columns(), strict=True):
        if layer.units < 2:
            return None
        bits = unpack(np.ascontiguousarray(codes.packed[:, columns]), layer.bits)
        order = generator.permutation(layer.units)
        for side, units in enumerate((order[: layer.units // 2], order[layer.units // 2 :])):
            chosen = (units[:, None] * layer.bits_per_unit + np.arange(layer.bits_per_unit)).ravel()
            kept[side].append(np.packbits(bits[:, chosen], axis=1))
            schemes[side].append(replace(layer, units=len(units)))
    one, other = (
        Codes(np.concatenate(values, axis=1), replace(codes.scheme, layers=tuple(scheme)))
        for values, scheme in zip(kept, schemes, strict=True)
    )
    return one, other


def _number(
    frame: CodeFrame,
    measure: Callable[[Int64[np.ndarray, "drawn"]], float],
    chance: list[float],
    what: str,
) -> Number:
    everything = np.arange(len(frame.pairs))
    drawn = []
    for number in range(frame.resamples):
        times = frame.blocks.multiplicities(frame.streams.generator("pairs again", number))
        weights = frame.pairs.weights(times[frame.blocks.block]).astype(np.int64)
        drawn.append(measure(np.repeat(everything, weights)))
    interval = bootstrap_interval(drawn)
    known = [value for value in chance if np.isfinite(value)]
    return Number(
        measure(everything),
        interval.low,
        interval.high,
        interval.meaning,
        chance=float(np.mean(known)) if known else None,
        chance_is=f"mean of {len(known)} {what}" if known else "",
    )
