"""One analysis shared by several processes: `python -m polylens.study.sharing JOB.json` is each of them.

Every process calls the analysis with the same rows, and the engine shares out the pairs. The first writes the
findings, into a folder that the parent has ready.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from polylens.analyses import Analysis, RowAnalysis
from polylens.devices import Options, compute_on
from polylens.harvest import load_rows
from polylens.leaving import leave_with
from polylens.progress import Progress, Silent
from polylens.store import KeptArrays, Store, load_findings, save_findings
from polylens.streams import Streams
from polylens.study.plans import PlannedAnalysis, VariantPlan
from polylens.study.returned import checked_findings
from polylens.study.stages import Stage
from polylens.work import Siblings, Work
from polylens.workers.hearing import Shower
from polylens.workers.joining import join_group
from polylens.workers.starting import Crew, run_workers
from polylens.workers.telling import Told, do_part


def share_analysis(
    planned: PlannedAnalysis,
    variant: VariantPlan,
    *,
    upstream: Mapping[str, Stage],
    store: Store,
    folder: Path,
    options: Options,
    progress: Progress,
) -> None:
    """Does one analysis in several processes, and writes its findings into a folder.

    Args:
        planned: the analysis, one of rows, with its stage, whose lock the caller holds.
        variant: whose rows.
        upstream: stages of what it stands on, by the names by which it asks for them.
        store: has rows and stages.
        folder: empty.
        options: how many processes, on which devices.
        progress: where the work shows itself.

    Raises:
        PolylensError: what the analysis raised.
        StageError: a process ended in any other way.
    """
    stage = planned.stage
    plain = {
        "analysis": planned.analysis.to_plain(),
        "rows": {part: take.stage.digest for part, take in variant.takes.items()},
        "seed": variant.streams.seed,
        "upstream": {name: [each.kind, each.digest] for name, each in upstream.items()},
        "stage": [stage.kind, stage.digest],
        "store": str(store.root),
        "folder": str(folder),
        "options": asdict(options),
    }
    told = store.partial(stage.kind, stage.digest)
    crew = Crew("polylens.study.sharing", plain, told, stage.name, options)
    run_workers(crew, hear=Shower(progress))


class _FirstKeeps:
    """What the first process keeps; all others are given the same, and keep nothing."""

    def __init__(self, kept: KeptArrays, *, rank: int) -> None:
        self._kept, self._rank = kept, rank

    def part(self, name: str) -> _FirstKeeps:
        return _FirstKeeps(self._kept.part(name), rank=self._rank)

    def load(self, name: str) -> Mapping[str, np.ndarray] | None:
        # A network disk may show one process what it does not yet show another.
        from torch import distributed

        given: list[Any] = [self._kept.load(name) if self._rank == 0 else None]
        distributed.broadcast_object_list(given, src=0)
        arrays: Mapping[str, np.ndarray] | None = given[0]
        return arrays

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        if self._rank == 0:
            self._kept.save(name, arrays)


def _work(plain: dict[str, Any]) -> None:
    options, store = Options(**plain["options"]), Store(Path(plain["store"]))
    analysis = Analysis.model_validate(plain["analysis"])
    assert isinstance(analysis, RowAnalysis)  # the parent shares no others
    with join_group(options) as rank, compute_on(options.accelerator):
        rows = plain["rows"]
        work = Work(
            streams=Streams(plain["seed"]).child(analysis.kind()),
            upstream=Siblings(
                analysis.kind(),
                {
                    name: load_findings(store.open(kind, digest))
                    for name, (kind, digest) in plain["upstream"].items()
                },
            ),
            progress=Told() if rank == 0 else Silent(),
            keeper=_FirstKeeps(KeptArrays(store, *plain["stage"]), rank=rank),
        )
        shared = load_rows(store, activations=rows.get("activations"), codes=rows.get("codes"))
        found = analysis.run(shared, work)
        if rank == 0:
            save_findings(Path(plain["folder"]), checked_findings(analysis, "run", found, n_rows=len(shared)))


if __name__ == "__main__":
    leave_with(do_part(_work, sys.argv[1:]))
