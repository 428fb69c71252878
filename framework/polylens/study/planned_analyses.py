"""Analyses as stages: each after what it stands on, its siblings and its groundwork."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from polylens.analyses import Analysis, Need, Probe
from polylens.plugin import RowReader
from polylens.records import Examples
from polylens.spec import without_references
from polylens.study.plans import PlannedAnalysis
from polylens.study.stages import Stage
from polylens.study.variants import Variant


class AnalysisPlanner:
    """Works out the analysis stages of one variant; lives only while planning."""

    def __init__(
        self,
        variant: Variant,
        rows: Mapping[str, str],
        *,
        probed: Mapping[str, Any],
        own_rows: Mapping[str, str],
        examples: Examples,
        seed: int,
    ) -> None:
        """
        Args:
            variant: whose analyses are planned.
            rows: digest of the harvest of each part.
            probed: what makes the network and the layer what they are.
            own_rows: digest of the harvest of each part of the spec's own network.
            examples: whose classes or named targets analyses read.
            seed: the spec's seed.
        """
        self._variant = variant
        self._rows = rows
        self._probed = probed
        self._own_rows = own_rows
        self._examples = examples
        self._seed = seed
        self._known: dict[str, PlannedAnalysis] = {}
        """What is planned already, by digest: two that ask for the same groundwork share one stage."""

    def plan(self, analyses: Iterable[tuple[str, Analysis]]) -> dict[str, PlannedAnalysis]:
        """The stages of analyses, which come after the siblings they stand on."""
        planned: dict[str, PlannedAnalysis] = {}
        for name, analysis in analyses:
            upstream = [planned[up].stage.digest for up in analysis.upstream()]
            planned[name] = self._plan_one(name, analysis, upstream, path=f"analyses.{name}")
            self._known.setdefault(planned[name].stage.digest, planned[name])
        return planned

    def _plan_one(self, name: str, analysis: Analysis, upstream: list[str], *, path: str) -> PlannedAnalysis:
        identity: dict[str, Any] = {
            "analysis": without_references(analysis.identity()),
            "rows": {need: self._rows[need] for need in sorted(analysis.needs())},
            "targets": targets_identity(self._examples, analysis),
            "upstream": upstream,
            "seed": self._seed,
        }
        if isinstance(analysis, Probe):
            identity["probed"] = self._probed
            if analysis.compares and not self._variant.is_own:
                identity["own"] = {need: self._own_rows[need] for need in sorted(analysis.needs())}
        groundwork = self._groundwork(name, analysis, path=path)
        if groundwork is not None:
            identity["groundwork"] = groundwork.stage.digest
        stage = Stage("analysis", self._variant.stage_name(name), identity, path=path)
        return PlannedAnalysis(stage, analysis, groundwork)

    def _groundwork(self, name: str, analysis: Analysis, *, path: str) -> PlannedAnalysis | None:
        asked = analysis.groundwork()
        if asked is None:
            return None
        planned = self._plan_one(f"{name}.{asked.kind()}", asked, [], path=path)
        return self._known.setdefault(planned.stage.digest, planned)


def targets_identity(examples: Examples, reader: RowReader) -> Any:
    """What the classes are that an analysis or a label reads: those of the examples, or named ones."""
    named = reader.named_targets()
    return examples.fingerprint if named is None else [examples.fingerprint, examples.targets_digest(named)]


def all_needs(analysis: Analysis) -> frozenset[Need]:
    """What an analysis reads, and what its groundwork reads."""
    groundwork = analysis.groundwork()
    return analysis.needs() if groundwork is None else analysis.needs() | all_needs(groundwork)
