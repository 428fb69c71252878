"""Comparisons of one child: its network beside each control, on the equal terms that an analysis knows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from polylens.analyses import NETWORK
from polylens.records import Comparison
from polylens.store import load_comparisons, save_comparisons
from polylens.study.walk import Walk


def comparisons_of(walk: Walk, name: str) -> Mapping[str, Mapping[str, Comparison]]:
    """One analysis' comparisons by control and by number, made where the store lacks them."""
    stage = walk.plan.comparisons.get(name)
    if stage is None:
        return {}
    planned, performer = walk.own.analyses[name], walk.performer

    def work(folder: Path) -> None:
        outcomes = dict(walk.outcomes(name))
        (own,) = outcomes.pop(NETWORK)
        # Named by the kind, as the analysis' own randomness is; one stream for all controls pairs them too.
        streams = walk.own.streams.child(planned.analysis.kind())
        comparisons = {
            control: planned.analysis.compare(own, draws, streams=streams)
            for control, draws in outcomes.items()
        }
        save_comparisons(folder, comparisons)

    performer.perform(stage, work)
    return performer.read(
        lambda: load_comparisons(performer.open(stage)), again=lambda: performer.perform(stage, work)
    )
