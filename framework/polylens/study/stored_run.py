"""What the store holds of one run, by the names of its stages: rows, findings and labels of each variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polylens.analyses import GROUNDWORK, NETWORK, Outcome
from polylens.errors import StoreError, UsageError, listed, nearest
from polylens.harvest import load_rows
from polylens.records import Findings, Labels, Partition, Rows
from polylens.store import Store, load_findings, load_labels

_HARVESTS = {"harvest": "activations", "harvest_codes": "codes"}
"""Stages of rows, and the part of the rows that each has."""


@dataclass(frozen=True)
class StoredRun:
    """The stages of one run in the store. What is not there is refused, with what to do."""

    store: Store
    stages: Mapping[str, str]
    """Digest of each stage by its name, such as `clusters` and `clusters.random_init#2`."""
    name: str
    """What the run is called, for errors."""
    again: str
    """What computes a missing stage again, for errors: a command line."""

    def variants(self) -> tuple[str, ...]:
        """The network, each control, and `raw_inputs` where there are any."""
        return tuple(dict.fromkeys(title.partition("#")[0] for title in self._titles()))

    def draws(self, variant: str) -> int:
        """How many draws of a variant there are; 0 where the run has no such variant."""
        titles = self._titles()
        if variant in titles:
            return 1
        return sum(title.rpartition("#")[0] == variant for title in titles)

    def check_variant(self, variant: str, draw: int = 1) -> None:
        """Refuses a variant or a draw that the run does not have.

        Raises:
            UsageError: names the variants, or how many draws there are.
        """
        draws = self.draws(variant)
        if not draws:
            known = self.variants()
            near = nearest(variant, known)
            hint = f"did you mean '{near}'?" if near else f"it has {listed(known)}"
            raise UsageError(f"the run '{self.name}' has no control '{variant}'", hint=hint)
        if not 1 <= draw <= draws:
            raise UsageError(f"the run '{self.name}' has {draws} of '{variant}', and no draw {draw}")

    def rows(self, variant: str = NETWORK, draw: int = 1) -> Rows:
        """The rows of one variant, memory-mapped; those of texts without their tokens.

        Raises:
            UsageError: there is no such variant.
            StoreError: the store lacks them.
        """
        self.check_variant(variant, draw)
        digests = {}
        for stage, part in _HARVESTS.items():
            digest = self.stages.get(self._stage(stage, variant, draw))
            if digest is not None:
                self._check_stored("harvest", stage, digest)
                digests[part] = digest
        if not digests:
            raise self._unknown_stage("harvest", "harvest")
        return load_rows(self.store, **digests)

    def fingerprint(self, variant: str = NETWORK, draw: int = 1) -> str:
        """Fingerprint of the examples that one variant's rows are of."""
        self.check_variant(variant, draw)
        names = [self._stage(stage, variant, draw) for stage in _HARVESTS]
        digest = next((self.stages[name] for name in names if name in self.stages), None)
        if digest is None:
            raise self._unknown_stage("harvest", "harvest")
        self._check_stored("harvest", "harvest", digest)
        about: dict[str, Any] = dict(self.store.manifest("harvest", digest).about)
        return str(about["identity"]["examples"])

    def findings(self, analysis: str, variant: str = NETWORK, draw: int = 1) -> Findings:
        """What one analysis found on one variant.

        Raises:
            UsageError: there is no such analysis or variant.
            StoreError: the store lacks it.
        """
        return load_findings(self._folder("analysis", analysis, variant, draw))

    def outcome(
        self, analysis: str, upstream: Sequence[str], variant: str = NETWORK, draw: int = 1
    ) -> Outcome:
        """What one analysis took and found, with the siblings it names and its groundwork."""
        rows, findings = self.rows(variant, draw), self.findings(analysis, variant, draw)
        below = {name: self.findings(name, variant, draw) for name in upstream}
        digest = self.stages[self._stage(analysis, variant, draw)]
        groundwork = self.store.manifest("analysis", digest).about["identity"].get("groundwork")
        if groundwork is not None:
            self._check_stored("analysis", f"{analysis}' and its groundwork", groundwork)
            below[GROUNDWORK] = load_findings(self.store.open("analysis", groundwork))
        return Outcome(rows, findings, below)

    def outcomes(self, analysis: str, upstream: Sequence[str]) -> dict[str, tuple[Outcome, ...]]:
        """What one analysis took and found on every variant that it was done on, draw by draw."""
        return {
            variant: tuple(
                self.outcome(analysis, upstream, variant, draw) for draw in range(1, self.draws(variant) + 1)
            )
            for variant in self.variants()
            if self.has(analysis, variant)
        }

    def partition(self, analysis: str, variant: str = NETWORK, draw: int = 1) -> Partition:
        """The clusters that one analysis found; raises as `findings` does, and where it gives none."""
        partition = self.findings(analysis, variant, draw).partition
        if partition is None:
            raise UsageError(f"the analysis '{analysis}' gives no clusters")
        return partition

    def labels(self, label: str, variant: str = NETWORK, draw: int = 1) -> Labels:
        """The labels of one partition's clusters; raises as `findings` does."""
        return load_labels(self._folder("labels", label, variant, draw))

    def scored(self, score: str, variant: str = NETWORK, draw: int = 1) -> Findings:
        """What one score found; raises as `findings` does."""
        return load_findings(self._folder("scores", score, variant, draw))

    def score_outcomes(self, score: str) -> dict[str, tuple[Findings, ...]]:
        """What one score found on every variant that it was done on, draw by draw."""
        return {
            variant: tuple(self.scored(score, variant, draw) for draw in range(1, self.draws(variant) + 1))
            for variant in self.variants()
            if self.has(score, variant)
        }

    def has(self, stage: str, variant: str = NETWORK, draw: int = 1) -> bool:
        """Whether the run had such a stage of this variant, whether or not the store still does."""
        return self._stage(stage, variant, draw) in self.stages

    def _titles(self) -> tuple[str, ...]:
        """Every draw of every variant, such as `random_init#2`: each has rows."""
        harvests = (name.partition(".") for name in self.stages if name.partition(".")[0] in _HARVESTS)
        return (NETWORK, *dict.fromkeys(title for _, dot, title in harvests if dot))

    def _folder(self, kind: str, stage: str, variant: str, draw: int) -> Path:
        self.check_variant(variant, draw)
        digest = self.stages.get(self._stage(stage, variant, draw))
        if digest is None:
            raise self._unknown_stage(kind, stage)
        self._check_stored(kind, stage, digest)
        return self.store.open(kind, digest)

    def _stage(self, stage: str, variant: str, draw: int) -> str:
        """The stage's name in the plan of the run."""
        if variant == NETWORK:
            return stage
        alone = f"{stage}.{variant}"
        return alone if alone in self.stages and draw == 1 else f"{alone}#{draw}"

    def _check_stored(self, kind: str, stage: str, digest: str) -> None:
        if not self.store.has(kind, digest):
            raise StoreError(
                f"the store {self.store.root} no longer has '{stage}' of the run '{self.name}'",
                hint=f"{self.again} computes it again; a store elsewhere is named by POLYLENS_STORE",
            )

    def _unknown_stage(self, kind: str, stage: str) -> UsageError:
        if not self.stages:
            return UsageError(
                f"the run '{self.name}' does not say which stages it stands on",
                hint=f"an older polylens made it, or it was stopped early; {self.again} makes it anew",
            )
        known = [
            name for name, digest in self.stages.items() if "." not in name and self.store.has(kind, digest)
        ]
        near = nearest(stage, known)
        hint = f"did you mean '{near}'?" if near else f"known: {listed(known) or 'none'}"
        what = {"labels": "label", "scores": "score", "harvest": "rows"}.get(kind, kind)
        return UsageError(f"the run has no {what} '{stage}'", hint=hint)
