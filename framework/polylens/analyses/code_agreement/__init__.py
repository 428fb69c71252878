"""Do codes agree between layers, seeds and checkpoints?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.analyses import Keeper, Need, Outcomes, Probe, Probed
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Codes, Figure, Findings, ImageFormat, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from jaxtyping import Bool, Float64, Int64

    from polylens.statistics import CodeFrame
_FEWEST = 20
"""Pairs of one class below which nothing is said of them alone."""


class CodeAgreement(Probe):
    """Which rows are near each other by their codes, compared between layers and between networks.

    Units of two layers or of two networks have nothing to do with each other one by one, so the structure is
    compared: the rank correlation of the distances of the same pairs of rows, and how many of a row's nearest
    rows are the same. Between layers: the spec's code against the codes of the own units of `layers`, in
    each network. Between networks: each control against the spec's own network, by the spec's code: list
    `second_seed`, checkpoints (`kind: checkpoint`) and `random_init` among the controls. What two networks
    share may be no more than what they look at, or than the classes: with images, agreement beyond the
    distance of the inputs stands beside, and where rows have classes, that on pairs of one class alone. As
    a reference each code is split into two random halves of its units, which says how well two codes of half
    the units agree where nothing else differs. Agreement of clusters is `partition_agreement`'s.

    Source: Kriegeskorte, Mur and Bandettini 2008, representational similarity analysis; Huh et al. 2024
        (arXiv 2405.07987), mutual k-nearest neighbours. The polytope paper reports nothing on agreement.
    """

    compares: ClassVar[bool] = True
    headline: ClassVar[tuple[str, ...]] = ("correlation", "correlation_beyond_inputs", "overlap")
    answer: ClassVar[tuple[str, ...]] = ("correlation", "correlation_beyond_inputs")

    layers: tuple[str, ...] = ()
    """Further layers whose own units' codes are compared with the spec's code and with each other."""
    pairs: int = Field(default=10_000, ge=10)
    """Pairs of rows of different examples whose distances are compared."""
    rows: int = Field(default=500, ge=20)
    """About how many rows have their nearest ones compared, in whole examples."""
    neighbours: int = Field(default=10, ge=1)
    """How many nearest rows are compared, of other examples."""
    permutations: int = Field(default=50, ge=20)
    """Permutations of the examples for chance levels."""
    resamples: int = Field(default=100, ge=20)
    """Resamples of the examples for intervals."""

    def needs(self) -> frozenset[Need]:
        """Codes."""
        return frozenset({"codes"})

    def why_no_code(self, *, is_graded: bool) -> str | None:
        """Graded codes have no bits to count."""
        return "it needs the bits of a hard code (kind: sign), and the code is graded" if is_graded else None

    def probe(
        self,
        rows: Rows,
        probed: Probed,
        *,
        streams: Streams,
        upstream: Mapping[str, Findings],
        progress: Progress,
        keeper: Keeper | None = None,
    ) -> Findings:
        """Agreement between the layers of this network, and of it with the spec's own one."""
        from polylens.analyses.code_agreement.layers import layer_codes
        from polylens.statistics import Blocks, CodeFrame, metric_name

        if rows.codes is None:
            raise DataError("code_agreement needs codes", hint="give the spec a 'code:'")
        blocks = Blocks.of(rows.origins.block)
        if len(blocks) < 3:
            raise DataError("agreement needs rows of three examples at least", hint="use more examples")
        frame = CodeFrame.of(
            blocks,
            pairs=self.pairs,
            rows=self.rows,
            neighbours=self.neighbours,
            permutations=self.permutations,
            resamples=self.resamples,
            streams=streams,
        )
        found = {"code": rows.codes, **layer_codes(rows, probed, self.layers, progress=progress)}
        others = {name: codes for name, codes in found.items() if name != "code"}
        total = len(found) * (len(found) - 1) // 2 + 2
        numbers: dict[str, Number] = {}
        lines: list[dict[str, object]] = []
        with progress.task("comparing codes", total=total, unit="comparisons") as task:
            compared = {name: _Compared.of(frame, codes, name) for name, codes in found.items()}
            names = list(compared)
            for place, first in enumerate(names):
                for second in names[place + 1 :]:
                    pair = compared[first].agreement(frame, compared[second])
                    lines.append(_line(first, second, pair))
                    if first == "code":
                        numbers |= {metric_name(name, second): value for name, value in pair.items()}
                    task.advance()
            numbers |= self._halves(frame, rows.codes, streams)
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

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Agreement with the spec's own network, and between layers, beside controls."""
        from polylens.analyses.code_agreement.pictures import agreement_pictures

        return agreement_pictures(outcomes, subject=subject)

    def _halves(self, frame: CodeFrame, codes: Codes, streams: Streams) -> dict[str, Number]:
        """How well two halves of the same code's units agree."""
        from polylens.statistics import code_halves

        split = code_halves(codes, streams.generator("halves"))
        if split is None:
            return {}
        one, other = (_Compared.of(frame, half, f"half {place}") for place, half in enumerate(split))
        return {f"halves_{name}": value for name, value in one.agreement(frame, other).items()}


class _Compared:
    """One code, with what is compared of it."""

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
        """Its distances, the nearest rows, and the distances under permutations of the rows."""
        moved = [frame.distances(codes, source) for source in frame.permuted()]
        return cls(frame.distances(codes), frame.near(codes, name), moved)

    def agreement(
        self,
        frame: CodeFrame,
        other: _Compared,
        *,
        inputs: Float64[np.ndarray, "pairs"] | None = None,
        targets: Int64[np.ndarray, "rows"] | None = None,
    ) -> dict[str, Number]:
        """With another code: of distances and neighbours, beyond the inputs, and within classes."""
        import numpy as np

        from polylens.statistics import agreement_beyond, distance_agreement, neighbour_agreement

        found = {
            "correlation": distance_agreement(frame, self.distances, other.distances, other.moved),
            "overlap": neighbour_agreement(frame, self.near, other.near),
        }
        if inputs is not None:
            found["correlation_beyond_inputs"] = agreement_beyond(
                frame, self.distances, other.distances, inputs, other.moved
            )
        alike = None if targets is None else targets[frame.pairs.left] == targets[frame.pairs.right]
        if alike is not None and alike.sum() >= _FEWEST:
            moved = [distances[alike] for distances in other.moved]
            found["correlation_within_classes"] = distance_agreement(
                frame.only(alike), self.distances[alike], other.distances[alike], moved
            )
        return {name: number for name, number in found.items() if np.isfinite(number.value)}

    def with_inputs(self, frame: CodeFrame, inputs: Float64[np.ndarray, "pairs"]) -> dict[str, Number]:
        """With the distances of the inputs."""
        import numpy as np

        from polylens.statistics import distance_agreement

        found = distance_agreement(frame, inputs, self.distances, self.moved)
        return {"correlation_with_inputs": found} if np.isfinite(found.value) else {}


def _input_distances(rows: Rows, probed: Probed, frame: CodeFrame) -> Float64[np.ndarray, "pairs"] | None:
    """How far the inputs of each pair are from each other; None where rows are positions or texts."""
    import numpy as np
    import torch

    from polylens.statistics import Pairs, segment_lengths

    if rows.origins.grid or not isinstance(probed.network.input_format, ImageFormat):
        return None
    ends, place = np.unique(np.stack([frame.pairs.left, frame.pairs.right]), return_inverse=True)
    place = place.reshape(2, -1)
    examples = rows.origins.example[ends].tolist()
    pieces = [probed.examples.batch(examples[start : start + 64]) for start in range(0, len(examples), 64)]
    inputs = torch.cat(pieces).flatten(1).numpy()
    return segment_lengths(inputs, pairs=Pairs(place[0].astype(np.int64), place[1].astype(np.int64)))


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
    import pandas as pd

    columns = [
        f"{name}{part}" for name in ("correlation", "overlap") for part in ("", "_low", "_high", "_chance")
    ]
    return pd.DataFrame(lines, columns=["first", "second", *columns])
