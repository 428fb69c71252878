"""Comparisons of one child: its network beside each control, on the equal terms that an analysis knows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from polylens.analyses import NETWORK
from polylens.records import Comparison
from polylens.store import load_comparisons, save_comparisons
from polylens.streams import Streams
from polylens.study.plans import ChildPlan
from polylens.study.stages import Stage
from polylens.study.walk import Walk


def comparison_stage(plan: ChildPlan, name: str) -> Stage | None:
    """The stage that compares one analysis with its controls'; None where there is nothing to compare."""
    own = plan.own.analyses[name]
    controls = {
        variant.variant.title: variant.analyses[name].stage.digest
        for variant in plan.controls()
        if name in variant.analyses
    }
    if not own.analysis.compared or not controls:
        return None
    identity = {
        "analysis": own.analysis.identity(),
        "own": own.stage.digest,
        "controls": controls,
        "seed": plan.own.recipe.seed,
    }
    return Stage("comparison", f"{name}.comparison", identity, path=f"analyses.{name}")


def comparisons_of(walk: Walk, name: str) -> Mapping[str, Mapping[str, Comparison]]:
    """One analysis' comparisons by control and by number, made where the store lacks them."""
    stage = comparison_stage(walk.plan, name)
    if stage is None:
        return {}
    planned, performer = walk.plan.own.analyses[name], walk.performer

    def work(folder: Path) -> None:
        outcomes = dict(walk.outcomes(name))
        (own,) = outcomes.pop(NETWORK)
        # Named by the kind, as the analysis' own randomness is; one stream for all controls pairs them too.
        streams = Streams(walk.plan.own.recipe.seed).child(planned.analysis.kind())
        found = {
            control: planned.analysis.compare(own, draws, streams=streams)
            for control, draws in outcomes.items()
        }
        save_comparisons(folder, found)

    performer.perform(stage, work)
    return performer.read(
        lambda: load_comparisons(performer.open(stage)), again=lambda: performer.perform(stage, work)
    )
