"""What a report says of where a run's numbers come from, and that `--limit` leaves its trace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.mlflow_database import put_database
from tests.pictures import undrawn
from tests.projects import Project

from polylens.models.torchvision import LocalWeights, Torchvision
from polylens.models.transformers import Transformers


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose small spec ran on 150 examples; only to be looked at."""
    folder = tmp_path_factory.mktemp("limited")
    (folder / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(folder)
    project = Project(folder)
    with undrawn():
        project.run(project.spec(controls=None), "--limit", "150")
    return project


def page_of(project: Project) -> str:
    (page,) = (project.folder / ".polylens").rglob("report.html")
    return " ".join(re.sub(r"<[^>]+>", " ", page.read_text()).split())


def test_limits_are_in_name_parameters_metrics_and_report(limited: Project) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{limited.folder / 'mlflow.db'}")
    (run,) = client.search_runs([each.experiment_id for each in client.search_experiments()])
    assert run.info.run_name == "small limit=150"
    assert run.data.params["limit"] == "150"
    assert (run.data.metrics["examples"], run.data.metrics["rows"]) == (150, 150)
    page = page_of(limited)
    assert "hidden.2, limited to 150 examples" in page
    assert "Examples 150, limited by --limit 150" in page


def test_the_report_says_where_everything_comes_from(limited: Project) -> None:
    page = page_of(limited)
    assert "Weights trained here, 2 epochs" in page
    assert re.search(r"10 classes 0 \(\d+\), 1 \(\d+\)", page)
    assert "Positions one row an example: the layer has no positions" in page
    assert re.search(r"Written \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", page)
    assert re.search(r"Command polylens run --json \S+small.yaml --limit 150", page)
    assert "Commit" in page


def test_weights_are_said_in_words() -> None:
    assert Torchvision(name="resnet18", weights=None).weights_in_words() == "random, nothing is trained"
    assert "IMAGENET1K_V1" in Torchvision(name="resnet18", weights="IMAGENET1K_V1").weights_in_words()
    local = Torchvision(name="resnet18", weights=LocalWeights(file="w.pt"))
    assert local.weights_in_words() == "from w.pt"
    assert local.missing(root=Path("/nowhere")) == Path("/nowhere/w.pt")
    assert local.untrained().weights_in_words() == "random, nothing is trained"
    hub = Transformers(source="openai-community/gpt2", revision="0" * 40)
    assert hub.weights_in_words() == f"from openai-community/gpt2 at {'0' * 40}"
    assert hub.needs_download()
