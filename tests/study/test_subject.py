"""What every caption says of its child."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.mlflow_database import put_database
from tests.projects import Project

from polylens.devices import Options
from polylens.progress import Silent
from polylens.records import CodeLayer, Codes, CodeScheme, Explained, Origins, Rows
from polylens.settings import load_settings
from polylens.spec import load
from polylens.study.planning import plan_study
from polylens.study.plans import ChildPlan
from polylens.study.subject import code_sentence, subject_of, title_of

ROWS = Rows("hidden.2", Origins(np.arange(3), np.zeros(3, np.int64), (), ("a", "b", "c")))
LAYERS = (CodeLayer("1", units=1000), CodeLayer("2", units=234))
CODES = Codes(np.zeros((3, 155), np.uint8), CodeScheme(LAYERS, True, "polytope code: it reads all."))


@pytest.fixture
def plan(tmp_path: Path) -> ChildPlan:
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(tmp_path)
    study = load(Project(tmp_path).spec(seed=4))
    settings = load_settings(tmp_path)
    (plan,) = plan_study(study, settings=settings, options=Options(), limit=None, progress=Silent())
    return plan


def test_a_child_is_called_by_its_model_and_its_layer(plan: ChildPlan) -> None:
    assert title_of(plan) == "mlp, layer hidden.2"


def test_captions_end_with_model_layer_rows_and_seed(plan: ChildPlan) -> None:
    said = subject_of(plan, ROWS)
    assert said == "mlp, layer hidden.2, 3 rows (whole examples of digits), seed 4."
    positions = replace(ROWS, origins=replace(ROWS.origins, grid=(2, 2)))
    assert "3 rows (sampled positions of digits)" in subject_of(plan, positions)
    code = plan.experiment.code.model_copy(update={"positions": "all"})
    experiment = plan.experiment.model_copy(update={"code": code})
    whole = replace(plan, child=replace(plan.child, experiment=experiment))
    assert "whole examples" in subject_of(whole, positions)


def test_the_code_says_whether_it_names_polytopes(plan: ChildPlan) -> None:
    assert code_sentence(ROWS) == ""
    coded = replace(ROWS, codes=CODES)
    assert code_sentence(coded) == " Code of 1,234 units: polytope code: it reads all."
    assert subject_of(plan, coded).endswith("seed 4. Code of 1,234 units: polytope code: it reads all.")


def test_a_proxy_says_how_good_it_is() -> None:
    scheme = CodeScheme(LAYERS, False, "it does not name polytopes, because gelu is smooth", is_proxy=True)
    codes = replace(
        CODES, scheme=scheme, near_boundary_fraction=0.00123, explained=Explained(0.876, 0.9, 2, 0)
    )
    said = code_sentence(replace(ROWS, codes=codes))
    assert said == (
        " Code of 1,234 units: it does not name polytopes, because gelu is smooth. Of the variance of the "
        "units' output the hard code explains 0.88 (0.90 of the median unit's); 0.0012 of the units are "
        "within numerical noise of a boundary."
    )
    gated = replace(codes, explained=Explained(-0.5, 0.1, 2, 2))
    assert (
        "explains -0.50 (0.10 of the median unit's, of gates times what they multiply), which is less than "
        "the units' means would; "
    ) in code_sentence(replace(ROWS, codes=gated))
    unlike = replace(codes, explained=None)
    assert "No hard form of these units is near their output; 0.0012" in code_sentence(
        replace(ROWS, codes=unlike)
    )
