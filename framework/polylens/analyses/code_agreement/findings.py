"""Codes compared by the structure of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float64, Int64

from polylens.analyses import Probed
from polylens.analyses.code_agreement.layers import layer_codes
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Codes, Findings, ImageFormat, Number, Rows
from polylens.statistics import (
    Blocks,
    CodeFrame,
    Pairs,
    agreement_beyond,
    code_halves,
    distance_agreement,
    metric_name,
    neighbour_agreement,
    segment_lengths,
)
from polylens.streams import Streams

if TYPE_CHECKING:
    from polylens.analyses.code_agreement import CodeAgreement

_FEWEST = 20
"""Pairs of one class below which nothing is said of them alone."""


def code_agreement_findings(
    analysis: CodeAgreement, rows: Rows, probed: Probed, *, streams: Streams, progress: Progress
) -> Findings:
    """Agreement between the layers of this network, and of it with the spec's own one."""
    if rows.codes is None:
        raise DataError("code_agreement needs codes", hint="give the spec a 'code:'")
    blocks = Blocks.of(rows.origins.block)
    if len(blocks) < 3:
        raise DataError("agreement needs rows of three examples at least", hint="use more examples")
    frame = CodeFrame.of(
        blocks,
        pairs=analysis.pairs,
        rows=analysis.rows,
        neighbours=analysis.neighbours,
        permutations=analysis.permutations,
        resamples=analysis.resamples,
        streams=streams,
    )
    codes_of = {"code": rows.codes, **layer_codes(rows, probed, analysis.layers, progress=progress)}
    others = {name: codes for name, codes in codes_of.items() if name != "code"}
    total = len(codes_of) * (len(codes_of) - 1) // 2 + 2
    numbers: dict[str, Number] = {}
    lines: list[dict[str, object]] = []
    with progress.task("comparing codes", total=total, unit="comparisons") as task:
        compared = {name: _Compared.of(frame, codes, name) for name, codes in codes_of.items()}
        names = list(compared)
        for index, first in enumerate(names):
            for second in names[index + 1 :]:
                pair = compared[first].agreement(frame, compared[second])
                lines.append(_line(first, second, pair))
                if first == "code":
                    numbers |= {metric_name(name, second): value for name, value in pair.items()}
                task.advance()
        numbers |= _halves(frame, rows.codes, streams)
        task.advance()
        inputs = _input_distances(rows, probed, frame)
        own = rows if probed.own is None else probed.own
        if own.codes is not None:
            whole = _Compared.of(frame, own.codes, "own network")
            numbers |= whole.agreement(frame, compared["code"], inputs=inputs, targets=rows.targets)
        if inputs is not None:
            numbers |= compared["code"].with_inputs(frame, inputs)
        task.advance()
    notes = [f"Codes of {', '.join(others)} are of these layers' own units."] if others else []
    if probed.own is None:
        notes.append(
            "The correlation and the overlap named without a layer are agreement with the spec's own "
            "network: here with itself, hence 1 but for neighbours that tie; they tell of controls."
        )
    return Findings(numbers=numbers, tables={"layers": _table(lines)}, notes=tuple(notes))


def _halves(frame: CodeFrame, codes: Codes, streams: Streams) -> dict[str, Number]:
    """How well two halves of the same code's units agree."""
    split = code_halves(codes, streams.generator("halves"))
    if split is None:
        return {}
    one, other = (_Compared.of(frame, half, f"half {index}") for index, half in enumerate(split))
    return {f"halves_{name}": value for name, value in one.agreement(frame, other).items()}


class _Compared:
    """One code: distances of its pairs, nearest rows, and distances under permutations of the rows."""

    def __init__(
        self,
        distances: Float64[np.ndarray, "pairs"],
        near: Bool[np.ndarray, "chosen chosen"],
        moved: list[Float64[np.ndarray, "pairs"]],
    ) -> None:
        self.distances = distances
        self.near = near
        self.moved = moved

    @classmethod
    def of(cls, frame: CodeFrame, codes: Codes, name: str) -> _Compared:
        """What is compared of a code; `name` is that of the random numbers that break its ties."""
        moved = [frame.distances(codes, source) for source in frame.row_permutations()]
        return cls(frame.distances(codes), frame.near(codes, name), moved)

    def agreement(
        self,
        frame: CodeFrame,
        other: _Compared,
        *,
        inputs: Float64[np.ndarray, "pairs"] | None = None,
        targets: Int64[np.ndarray, "rows"] | None = None,
    ) -> dict[str, Number]:
        """How well this code and another agree: in distances, beyond inputs, within classes, in neighbours.

        Args:
            frame: the pairs and rows at which codes are compared.
            other: the other code.
            inputs: distances of the inputs; None leaves out what lies beyond them.
            targets: class of each row; None leaves out agreement within classes.
        """
        numbers = {
            "correlation": distance_agreement(frame, self.distances, other.distances, other.moved),
            "overlap": neighbour_agreement(frame, self.near, other.near),
        }
        if inputs is not None:
            numbers["correlation_beyond_inputs"] = agreement_beyond(
                frame, self.distances, other.distances, inputs, other.moved
            )
        alike = None if targets is None else targets[frame.pairs.left] == targets[frame.pairs.right]
        if alike is not None and alike.sum() >= _FEWEST:
            moved = [distances[alike] for distances in other.moved]
            numbers["correlation_within_classes"] = distance_agreement(
                frame.only(alike), self.distances[alike], other.distances[alike], moved
            )
        return {name: number for name, number in numbers.items() if np.isfinite(number.value)}

    def with_inputs(self, frame: CodeFrame, inputs: Float64[np.ndarray, "pairs"]) -> dict[str, Number]:
        """How well the distances of this code follow those of the inputs."""
        correlation = distance_agreement(frame, inputs, self.distances, self.moved)
        return {"correlation_with_inputs": correlation} if np.isfinite(correlation.value) else {}


def _input_distances(rows: Rows, probed: Probed, frame: CodeFrame) -> Float64[np.ndarray, "pairs"] | None:
    """How far the inputs of each pair are from each other; None where rows are positions or texts."""
    if rows.origins.grid or not isinstance(probed.network.input_format, ImageFormat):
        return None
    ends, index = np.unique(np.stack([frame.pairs.left, frame.pairs.right]), return_inverse=True)
    index = index.reshape(2, -1)
    examples = rows.origins.example[ends].tolist()
    pieces = [probed.examples.batch(examples[start : start + 64]) for start in range(0, len(examples), 64)]
    inputs = torch.cat(pieces).flatten(1).numpy()
    return segment_lengths(inputs, pairs=Pairs(index[0].astype(np.int64), index[1].astype(np.int64)))


def _line(first: str, second: str, pair: Mapping[str, Number]) -> dict[str, object]:
    line: dict[str, object] = {"first": first, "second": second}
    for name in ("correlation", "overlap"):
        number = pair.get(name)
        for part in ("value", "low", "high", "chance"):
            key = name if part == "value" else f"{name}_{part}"
            line[key] = (
                float("nan") if number is None or getattr(number, part) is None else getattr(number, part)
            )
    return line


def _table(lines: list[dict[str, object]]) -> pd.DataFrame:
    columns = [
        f"{name}{part}" for name in ("correlation", "overlap") for part in ("", "_low", "_high", "_chance")
    ]
    return pd.DataFrame(lines, columns=["first", "second", *columns])
