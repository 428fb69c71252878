"""What the codes of rows look like: how many differ, how far apart, how many units never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from polylens.analyses import Keeper, Need, Outcomes, RowAnalysis
from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Codes, Figure, Findings, Number, Rows
from polylens.streams import Streams

if TYPE_CHECKING:
    import pandas as pd

    from polylens.statistics import LayerActivity


class CodeStatistics(RowAnalysis):
    """Distinct codes, distances of codes layer by layer, and units that are always on or always off."""

    headline: ClassVar[tuple[str, ...]] = (
        "distinct_fraction",
        "same_class_distance",
        "different_class_distance",
    )

    pairs: int = Field(default=10_000, ge=10)
    """How many same-class pairs, and how many different-class pairs, are drawn for the distances; the
    two rows of a pair are of different examples."""
    resamples: int = Field(default=200, ge=2)
    """Resamples of the examples for the intervals of distances."""

    def needs(self) -> frozenset[Need]:
        """Codes."""
        return frozenset({"codes"})

    def why_no_code(self, *, is_graded: bool) -> str | None:
        """Graded codes have no bits to count."""
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
        """Counts over all rows, and distances of drawn pairs with intervals over examples."""
        from polylens.statistics import distinct_codes, layer_activities

        codes = rows.codes
        if codes is None or not len(rows):
            raise DataError("these rows carry no codes", hint="give the spec a 'code:'")
        activities = layer_activities(codes)
        signs = [each for each in activities if each.layer.kind == "sign"]
        distinct = distinct_codes(codes)
        notes: list[str] = []
        numbers = {
            "distinct_codes": Number(float(distinct), unit="codes"),
            "distinct_fraction": Number(distinct / len(rows)),
            "near_boundary_fraction": Number(codes.near_boundary_fraction),
            "names_polytopes": Number(float(codes.scheme.names_polytopes)),
        }
        bits = sum(each.layer.bits for each in signs)
        if bits:
            on = sum(each.always_on_fraction * each.layer.bits for each in signs) / bits
            off = sum(each.always_off_fraction * each.layer.bits for each in signs) / bits
            active = sum(each.active_fraction * each.layer.bits for each in signs) / bits
            numbers["active_fraction"] = Number(active)
            numbers["always_on_fraction"] = Number(on)
            numbers["always_off_fraction"] = Number(off)
            numbers["constant_fraction"] = Number(on + off)
        distances = self._distances(rows, codes, streams, progress, notes)
        return Findings(
            numbers=numbers | distances,
            tables={"layers": _layer_table(activities, distances)},
            notes=tuple(notes),
        )

    def draw(self, outcomes: Outcomes, *, subject: str) -> tuple[Figure, ...]:
        """Distances of same-class and different-class pairs, layer by layer, beside controls."""
        import pandas as pd

        from polylens.figures import layer_distances

        tables: dict[str, pd.DataFrame] = {}
        for variant, draws in outcomes.items():
            every = pd.concat([each.findings.tables["layers"] for each in draws])
            means = every.groupby("layer", sort=False)[["same", "different"]].mean().reset_index()
            tables[variant] = means.dropna()
        if not any(len(table) for table in tables.values()):
            # Without classes there are no pairs; the notes say so.
            return ()
        return (
            Figure(
                name="layer-distances",
                title="Distances of codes, layer by layer",
                caption=(
                    "Share of each layer's units in another regime, mean over pairs; controls with several "
                    f"draws by their mean. {subject}"
                ),
                png=layer_distances(tables),
                alt="One panel a variant, one line a layer: same-class and different-class pairs.",
            ),
        )

    def _distances(
        self, rows: Rows, codes: Codes, streams: Streams, progress: Progress, notes: list[str]
    ) -> dict[str, Number]:
        """Mean code distance of same-class and of different-class pairs, pooled and by layer."""
        import numpy as np

        from polylens.statistics import (
            Blocks,
            bootstrap_interval,
            class_pairs,
            code_distances,
            metric_name,
            row_pairs,
        )

        if rows.targets is None:
            notes.append("These rows have no classes: there are no same-class and different-class pairs.")
            return {}
        blocks = Blocks.of(rows.origins.block)
        classes = np.asarray(rows.targets)[blocks.first]
        names = [(), *((layer.name,) for layer in codes.scheme.layers)]
        numbers: dict[str, Number] = {}
        for kind in ("same", "different"):
            generator = streams.generator("pairs", kind)
            examples = class_pairs(classes, same=kind == "same", count=self.pairs, generator=generator)
            if not len(examples):
                notes.append(f"There is no {kind}-class pair.")
                continue
            if len(examples) < self.pairs:
                notes.append(f"Only {len(examples)} {kind}-class pairs exist; all were taken.")
            by_layer = code_distances(codes, pairs=row_pairs(examples, blocks=blocks, generator=generator))
            values = np.concatenate([by_layer.mean(1, keepdims=True), by_layer], axis=1)
            again = []
            with progress.task("resampling pairs", total=self.resamples, unit="resamples") as task:
                for number in range(self.resamples):
                    times = blocks.multiplicities(streams.generator("resample", number))
                    weights = examples.weights(times)
                    if weights.any():
                        again.append(np.average(values, axis=0, weights=weights))
                    task.advance()
            for index, name in enumerate(names):
                interval = bootstrap_interval(each[index] for each in again)
                numbers[metric_name(f"{kind}_class_distance", *name)] = Number(
                    float(values[:, index].mean()), interval.low, interval.high, interval.meaning
                )
        return numbers


def _layer_table(activities: Sequence[LayerActivity], distances: Mapping[str, Number]) -> pd.DataFrame:
    """One line a layer of the code."""
    import numpy as np
    import pandas as pd

    from polylens.statistics import metric_name

    lines = []
    for each in activities:
        line: dict[str, object] = {
            "layer": each.layer.name,
            "kind": each.layer.kind,
            "units": each.layer.units,
        }
        sign = each.layer.kind == "sign"
        for name in ("active_fraction", "always_on_fraction", "always_off_fraction"):
            line[name] = getattr(each, name) if sign else np.nan
        for kind in ("same", "different"):
            number = distances.get(metric_name(f"{kind}_class_distance", each.layer.name))
            line[kind] = np.nan if number is None else number.value
            line[f"{kind}_low"] = np.nan if number is None or number.low is None else number.low
            line[f"{kind}_high"] = np.nan if number is None or number.high is None else number.high
        lines.append(line)
    return pd.DataFrame(lines)
