"""A failed analysis leaves its finished siblings logged, and the same command goes on to the whole."""

from __future__ import annotations

from typing import Any

import pytest
from tests.mlflow_database import NAME
from tests.projects import Project

import polylens
from polylens.analyses.kmeans import Kmeans
from polylens.errors import DataError, StageError

pytestmark = pytest.mark.slow
_KMEANS = {"kind": "kmeans", "on": "activation", "clusters": 3, "subsamples": 0}
_CHANGES = {
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16], "classes": 10},
    "layer": "hidden.1",
    "code": None,
    "controls": [{"kind": "random_init", "draws": 2}],
    "analyses": {
        "groups": _KMEANS,
        "others": {**_KMEANS, "clusters": 4},
    },
    "labels": None,
}


def _logged(project: Project) -> Any:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project.folder / NAME}")
    (run,) = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    return run


def _numbers(run: Any) -> dict[str, float]:
    return dict(run.data.metrics)


def _files(project: Project) -> set[str]:
    (root,) = (path.parent for path in (project.folder / "mlartifacts").rglob("report.html"))
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_what_was_finished_is_logged_and_the_same_command_completes_it(
    make_project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_whole = Kmeans.run
    calls = 0

    def fail_late(self: Kmeans, *arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += self.clusters == 4
        # The network's own and the first draw's are finished; the second draw's is not.
        if calls == 3:
            raise DataError("no memory")
        return run_whole(self, *arguments, **named)

    failing = make_project("failing")
    spec = failing.spec(**_CHANGES)
    monkeypatch.setattr(Kmeans, "run", fail_late)
    with pytest.raises(StageError, match=r"others\.random_init#2 failed: no memory"):
        polylens.run(spec, limit=40)
    monkeypatch.undo()
    part = _logged(failing)
    assert part.info.status == "FAILED"
    assert "no memory" in part.data.tags["polylens.error"]
    numbers = _numbers(part)
    assert "groups/clusters" in numbers
    # Of a control whose draws are not all there no number is written: MLflow would keep the mean of a part.
    assert "others/clusters" in numbers
    assert not any(name.startswith("others/") and "random_init" in name for name in numbers)
    page = next((failing.folder / "mlartifacts").rglob("report.html")).read_text()
    assert "This run failed" in page
    assert "no memory" in page
    assert "others.random_init#2" in page
    assert "<h2>Answer</h2>" not in page
    assert {"tables/numbers.parquet", "figures/captions.md", "provenance/provenance.json"} <= _files(failing)

    polylens.run(spec, limit=40)
    whole = make_project("whole")
    polylens.run(whole.spec(**_CHANGES), limit=40)
    assert _logged(failing).info.status == "FINISHED"
    assert "polylens.error" not in _logged(failing).data.tags
    assert _numbers(_logged(failing)) == _numbers(_logged(whole))
    assert numbers.items() <= _numbers(_logged(whole)).items()
    assert failing.tables() == whole.tables()
    assert _files(failing) == _files(whole)
    assert "This run failed" not in next((failing.folder / "mlartifacts").rglob("report.html")).read_text()
