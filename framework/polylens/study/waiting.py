"""How long what a study lacks may take: passes, exact walks, and comparing all pairs of rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from polylens.analyses import Probe, RowAnalysis
from polylens.models import Model
from polylens.streams import Streams
from polylens.study.plans import ChildPlan
from polylens.study.walking_cost import walking_seconds

_TIMED_EXAMPLES = 8
_TIMED_PASSES = 5


@dataclass(frozen=True)
class StageOutlook:
    """One stage: whether it is stored, and what differs from the nearest stored one where it is not."""

    name: str
    kind: str
    digest: str
    stored: bool
    why: str = ""
    n_bytes: int | None = None
    """Bytes on disk of a stored stage, or an estimate for a harvest that is not."""
    walking_seconds: float | None = None
    """Rough time of exact walks that are missing, on this machine's CPU, from the number of units; None where
    none is estimated."""
    pair_seconds: float | None = None
    """Rough time of comparing all pairs of rows where that is missing and long, on this machine's CPU, from a
    trial on a few rows at random; None where none is estimated."""


def with_times(
    stages: Sequence[StageOutlook], plan: ChildPlan, *, n_rows: int, width: int, code_bits: int
) -> list[StageOutlook]:
    """The stages, with what walks and comparisons of those that are missing may take.

    Args:
        stages: of all variants.
        plan: the child that they are of.
        n_rows: rows of each variant.
        width: of their activations.
        code_bits: of their codes; 0 where there are none, or graded ones.
    """
    walked = _with_walks(stages, plan)
    return _with_pairs(walked, plan, n_rows=n_rows, width=width, code_bits=code_bits)


def seconds_an_example(model: Model) -> float:
    """Seconds of a forward pass an example, on a few zeros or one text: the fastest, since others wait."""
    import torch

    module = model.skeleton(Streams(0).torch_generator("outlook")).eval()
    inputs = model.example_input()
    if inputs.is_floating_point():
        inputs = inputs.expand(_TIMED_EXAMPLES, *inputs.shape[1:]).contiguous()
    with torch.no_grad():
        module(inputs)
        seconds = []
        for _ in range(_TIMED_PASSES):
            started = time.perf_counter()
            module(inputs)
            seconds.append(time.perf_counter() - started)
    return min(seconds) / len(inputs)


def _with_walks(stages: Sequence[StageOutlook], plan: ChildPlan) -> list[StageOutlook]:
    """The stages, with what the walks of those that are missing may take."""
    seconds_of = walking_seconds(plan)
    probes = {
        each.stage.digest: each.analysis
        for variant in plan.variants
        for each in variant.analyses.values()
        if isinstance(each.analysis, Probe)
    }
    return [
        stage
        if stage.stored or stage.digest not in probes
        else replace(stage, walking_seconds=seconds_of(probes[stage.digest]))
        for stage in stages
    ]


def _with_pairs(
    stages: Sequence[StageOutlook], plan: ChildPlan, *, n_rows: int, width: int, code_bits: int
) -> list[StageOutlook]:
    """The stages, with what comparing all pairs may take for those that are missing."""

    # Raw inputs have another width than the layer, and are not guessed.
    comparing = {
        each.stage.digest: each.analysis
        for variant in plan.variants
        if not variant.is_raw_inputs
        for planned in variant.analyses.values()
        for each in planned.in_order()
        if isinstance(each.analysis, RowAnalysis)
    }
    missing = {stage.digest for stage in stages if not stage.stored}
    # A trial serves all variants; kinds of others may have keys that cannot be hashed.
    apart = {repr(analysis): analysis for digest, analysis in comparing.items() if digest in missing}
    seconds = {
        name: analysis.guess_pair_seconds(n_rows, width=width, code_bits=code_bits)
        for name, analysis in apart.items()
    }
    return [
        replace(stage, pair_seconds=seconds[repr(comparing[stage.digest])])
        if stage.digest in missing and stage.digest in comparing
        else stage
        for stage in stages
    ]
