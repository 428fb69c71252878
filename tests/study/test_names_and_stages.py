"""Names are no part of a number's stage; what shows them is made anew when they change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.projects import SPEC

import polylens
from polylens.devices import Options
from polylens.progress import Silent
from polylens.settings import load_settings
from polylens.store import Store
from polylens.study.drawing import Drawing
from polylens.study.pages import report_stage
from polylens.study.planning import plan_study
from polylens.study.walk import Walk, Workshop


def stages(folder: Path, **changes: Any) -> dict[str, set[str]]:
    """Digests of everything that a spec asks for, numbers and looks apart; nothing is computed."""
    settings, options = load_settings(folder / "spec.yaml"), Options()
    study = polylens.load_spec(SPEC | changes)
    plans = plan_study(study, settings=settings, options=options, limit=None, progress=Silent())
    drawing = Drawing(Walk(plans[0], Workshop(Store(settings.store), folder, options, Silent(), plans)))
    numbers = [stage for variant in plans[0].variants for stage in variant.stages()]
    return {
        "numbers": {stage.digest for stage in numbers},
        "comparisons": {stage.digest for stage in plans[0].comparisons.values()},
        "figures": {stage.digest for stage in drawing.figure_stages()},
        "report": {report_stage(drawing).digest},
    }


def test_a_renamed_analysis_changes_no_number(tmp_path: Path) -> None:
    before = stages(tmp_path)
    renamed = {
        "groups": SPEC["analyses"]["clusters"],
        "quality": {"kind": "cluster_quality", "of": "groups"},
        "codes": SPEC["analyses"]["codes"],
    }
    labels = {"digits": {**SPEC["labels"]["digits"], "of": "groups"}}
    after = stages(tmp_path, analyses=renamed, labels=labels)
    assert after["numbers"] == before["numbers"]
    assert after["comparisons"] == before["comparisons"]
    assert after["report"] != before["report"]


def test_a_renamed_control_changes_no_number_but_what_shows_its_name(tmp_path: Path) -> None:
    before = stages(tmp_path)
    after = stages(tmp_path, controls={"inits": {"use": "random_init", "draws": 1}})
    assert after["numbers"] == before["numbers"]
    assert not after["figures"] & before["figures"] - stages(tmp_path, controls=None)["figures"]
    assert after["report"] != before["report"]
