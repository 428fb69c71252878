"""A study of smooth units: graded codes are clustered, and every proxy says how good it is, everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from tests.mlflow_database import put_database
from tests.projects import SPEC

import polylens
from polylens.errors import SpecError
from polylens.wording import short

pytestmark = pytest.mark.slow

GATE = {"kind": "gate", "of": "gate", "units": "own", "positions": "same"}
SIGN = {"kind": "sign", "units": "own", "positions": "same"}
GRADED = {"kind": "hdbscan", "on": "code", "min_cluster_size": 5, "subsamples": 0, "curve": []}


def module() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 12), torch.nn.GELU(), torch.nn.Linear(12, 10))


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(tmp_path)
    monkeypatch.chdir(tmp_path)
    kept = {key: value for key, value in SPEC.items() if key not in ("model", "controls", "labels")}
    return kept | {
        "layer": "1",
        "code": GATE,
        "analyses": {
            "clusters": GRADED,
            "centres": {"kind": "kmeans", "on": "code", "clusters": 10, "subsamples": 0},
        },
    }


def test_gates_are_clustered_by_l1_and_what_the_proxy_explains_is_told_everywhere(
    spec: dict[str, object], tmp_path: Path
) -> None:
    result = polylens.run(spec, model=module(), input_shape=(64,), limit=120)
    rows = polylens.load_rows(result)
    assert rows.codes is not None
    inputs = result.children[0].walk.plan.examples.batch(range(len(rows)))
    with torch.no_grad():
        z = module()[0](inputs).double()
    np.testing.assert_allclose(rows.codes.graded, torch.special.ndtr(z).numpy(), atol=1e-6)
    output = torch.nn.functional.gelu(z)
    spread = (output - output.mean(0)).square().sum()
    expected = float(1 - (output - z.clamp(min=0)).square().sum() / spread)

    clusters, centres = (polylens.load_partition(result, name) for name in ("clusters", "centres"))
    assert (clusters.space, centres.space) == ("code", "code")
    assert clusters.hierarchy is None or clusters.hierarchy.metric == "l1"
    assert "l1" in clusters.method

    client = MlflowClient("sqlite:///mlflow.db")
    (run,) = client.search_runs([found.experiment_id for found in client.search_experiments()])
    assert run.data.metrics["code/explained_variance"] == pytest.approx(expected, abs=1e-5)
    assert 0 <= result.children[0].numbers_by_name()["code/near_boundary_fraction"].value < 0.01
    assert run.data.tags["polylens.names_polytopes"] == "false"
    said = run.data.tags["polylens.code"]
    assert "does not name polytopes, because gates change gradually" in said
    assert f"the hard code explains {short(expected)}" in said
    assert "within numerical noise of a boundary" in said

    page = next(iter(tmp_path.rglob("report.html")))
    text = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    assert "the hard code explains" in text
    assert "explained variance" in text


def test_what_needs_bits_says_that_the_code_must_be_hard(spec: dict[str, object]) -> None:
    wrong = {
        "statistics": {"kind": "code_statistics"},
        "bits": {"kind": "hdbscan", "on": "code", "metric": "hamming"},
        "density": {"kind": "pair_density"},
    }
    with pytest.raises(SpecError) as error:
        polylens.load_spec(spec | {"analyses": wrong}, model=module(), input_shape=(64,))
    problems = {problem.path: problem.message for problem in error.value.problems}
    assert "needs the bits of a hard code (kind: sign)" in problems["analyses.statistics"]
    assert "needs the bits of a hard code (kind: sign)" in problems["analyses.density"]
    assert "graded ones are compared by l1" in problems["analyses.bits"]
    hard = {"graded": {"kind": "hdbscan", "on": "code", "metric": "l1"}}
    with pytest.raises(SpecError, match="'l1' is for graded codes"):
        polylens.load_spec(spec | {"code": SIGN, "analyses": hard}, model=module(), input_shape=(64,))


def test_no_analysis_is_called_as_the_numbers_of_proxies_are(spec: dict[str, object]) -> None:
    with pytest.raises(SpecError, match="the name 'code' cannot be used"):
        polylens.load_spec(spec | {"analyses": {"code": GRADED}}, model=module(), input_shape=(64,))
