"""Writes a comparison of runs to MLflow, as a run of its own; the runs that are compared stay as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from polylens.digests import digest
from polylens.progress import Progress
from polylens.report import Contrast
from polylens.settings import Settings
from polylens.study.sides import Side
from polylens.tracking import TrackedRun, Tracker, collect_provenance

COMPARED_TAG = "polylens.compared"
"""Ids of the runs that a run compares, and which network of each."""


def log_contrast(
    contrast: Contrast, sides: Sequence[Side], *, page: str, settings: Settings, progress: Progress
) -> tuple[TrackedRun, str]:
    """Logs the page, the pictures, and everything as JSON and tables; the same comparison keeps its run.

    Returns:
        The run, and why something of it is kept instead of sent; empty where MLflow has all of it.

    Raises:
        TrackingError: the address is there and cannot be used.
    """
    tracker = Tracker(settings, progress=progress)
    # Beside the first of the runs; the settings put their prefix before it again.
    experiment = sides[0].run.logged.experiment.removeprefix(settings.experiment_prefix)
    tracker.prepare(experiment)
    compared = [
        f"{side.run.run_id}:{side.variant}{'' if side.draw is None else f'#{side.draw}'}" for side in sides
    ]
    run = tracker.open_run(
        experiment=experiment,
        name=f"compare {contrast.title}",
        digest=digest({"compared": compared}),
        tags={"mlflow.note.content": _note(contrast), COMPARED_TAG: ", ".join(compared)},
    )
    run.log_report(page)
    run.log_artifact("comparison.json", json.dumps(contrast.to_plain(), indent=2).encode())
    for name, lines in _tables(contrast):
        import pandas as pd

        run.log_table(name, pd.DataFrame(lines))
    for flow in contrast.flows:
        if flow.figure is not None:
            run.log_figure(flow.figure)
        numbers = {
            f"{flow.letter}/{flow.analyses[0]}/{name}": value for name, value in flow.agreement.items()
        }
        run.log_numbers(numbers)
    run.log_provenance(collect_provenance(spec_file=None, seed=None).to_plain())
    run.finish()
    tracker.send_kept()
    return run, "" if run.is_in_mlflow else tracker.trouble


def _note(contrast: Contrast) -> str:
    """What stands at the top of the run's page in MLflow."""
    lines = [f"**{side.letter}**: `{side.title}` ({side.run_id})" for side in contrast.sides]
    return "Runs side by side; `report.html` has all of it.\n\n" + "\n\n".join(lines)


def _tables(contrast: Contrast) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each part of the comparison that has lines, as a table."""
    letters = [side.letter for side in contrast.sides]
    plain = contrast.to_plain()
    spec: list[dict[str, Any]] = [
        {"key": line.key, **dict(zip(letters, line.values, strict=True))} for line in contrast.spec
    ]
    numbers = [
        {
            "number": line["name"],
            "side": letter,
            "first": line["values"][0]["value"],
            "second": line["values"][index]["value"],
            **{
                f"difference_{key}": (difference or {}).get(key)
                for key in ("value", "low", "high", "decision")
            },
        }
        for line in plain["numbers"]
        for index, (letter, difference) in enumerate(
            zip(letters[1:], line["differences"], strict=True), start=1
        )
    ]
    flows: list[dict[str, Any]] = [
        {"side": flow.letter, "first": group.words, "second": into.words, "rows": count}
        for flow in contrast.flows
        for index, group in enumerate(flow.first)
        for into, count in flow.largest(index, most=len(flow.second))
    ]
    for name, lines in (("spec", spec), ("numbers_compared", numbers), ("flows", flows)):
        if lines:
            yield name, lines
