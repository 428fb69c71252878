"""The same command again, and with one number changed: only what depends on it runs."""

from __future__ import annotations

import re
import subprocess
import sys
from unittest.mock import patch

import pytest
from mlflow import MlflowClient
from tests.pictures import undrawn
from tests.projects import Project, ran

from polylens.study.drawing import Drawing
from polylens.tracking import provenance
from polylens.tracking.git import commit_of

pytestmark = pytest.mark.slow


def test_the_second_run_finds_everything_and_a_changed_number_reruns_only_what_stands_on_it(
    project: Project,
) -> None:
    spec = project.spec()
    with undrawn():
        first = project.run(spec)[0]
    assert first["status"] == "done"
    assert {"train", "harvest", "harvest_codes", "clusters", "quality", "codes", "digits"} <= ran(first)

    again = project.run(spec)[0]
    assert ran(again) == set()
    assert again["run_id"] == first["run_id"]
    assert again["metrics"] == first["metrics"]

    spec = project.spec(refuted_if=["quality/purity <= quality/purity.random_init", "clusters/clusters < 1"])
    judged = project.run(spec)[0]
    assert (ran(judged), judged["run_id"]) == ({"report"}, first["run_id"])
    assert judged["verdict"]["decision"] == "refuted", "two epochs are worse than none at equal coverage"
    assert "quality/purity, on equal terms, leads random_init by -0." in judged["verdict"]["why"]
    data = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}").get_run(first["run_id"]).data
    assert data.tags["polylens.verdict"] == "refuted"
    assert data.tags["mlflow.note.content"].startswith("**Refuted.** ")
    assert data.tags["polylens.answer"].startswith("Clusters: ")
    assert "Quality: purity 0." in data.tags["polylens.answer"]
    assert {
        "quality/purity",
        "quality/purity_lead.random_init",
        "training/loss",
        "rows",
    } <= data.metrics.keys()
    assert not any(name.endswith((".random_init", ".chance")) for name in data.metrics if "_lead" not in name)

    with undrawn():
        changed = project.run(spec, "--set", "analyses.clusters.min_cluster_size=8")[0]
    assert (first["name"], changed["name"]) == ("small", "small min_cluster_size=8")
    own = {name for name in ran(changed) if "." not in name}
    assert own == {"clusters", "quality", "digits", "report"}
    assert {name.partition(".")[0] for name in ran(changed)} == {"clusters", "quality", "digits", "report"}

    with undrawn():
        other_seed = project.run(spec, "--set", "seed=1")[0]
    assert {stage["status"] for stage in other_seed["stages"]} == {"ran"}


def test_a_run_that_finds_everything_imports_no_library_that_takes_seconds(undisturbed: Project) -> None:
    code = (
        "import sys; from polylens.cli import main; status = main(sys.argv[1:])\n"
        "slow = {'torch', 'mlflow', 'lightning', 'pytorch_lightning', 'transformers', 'matplotlib'}\n"
        "print(status, sorted(slow & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "run", "--quiet", undisturbed.spec()]
    done = subprocess.run(command, cwd=undisturbed.folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_two_projects_give_the_same_bytes(undisturbed: Project, project: Project) -> None:
    with undrawn():
        project.run(project.spec())
    tables = [undisturbed.tables(), project.tables()]
    assert tables[0].keys() == tables[1].keys()
    assert [name for name in tables[0] if tables[0][name] != tables[1][name]] == []
    assert len(tables[0]) > 5


def test_layers_of_one_sweep_share_one_forward_pass_and_one_training(project: Project) -> None:
    spec = project.spec(layer=["hidden.1", "hidden.2"], controls=None)
    with undrawn(), patch.object(provenance, "commit_of", wraps=commit_of) as asked:
        runs = project.run(spec)
    of_spec = [call.args[0] for call in asked.call_args_list if call.args[0].suffix == ".yaml"]
    assert of_spec == [spec.resolve()], "git is asked once for all runs"
    assert [run["layer"] for run in runs] == ["hidden.1", "hidden.2"]
    assert "harvest" in ran(runs[0])
    assert not {"train", "harvest", "harvest_codes"} & ran(runs[1])
    (page,) = (project.folder / ".polylens").rglob("overview.html")
    text = page.read_text()
    assert "layer hidden.1" in text
    assert "layer hidden.2" in text
    assert f">{runs[0]['metrics']['quality/purity']:.2f}<" in text.replace(" ", "").replace("\n", "")
    links = re.findall(r'<th scope="row"><a class="report" data-report="([^"]+)"', text)
    reports = [(page.parent / link).resolve().read_text() for link in links]
    titles = [report.partition("<title>")[2].partition("</title>")[0] for report in reports]
    assert [title.rpartition(" ")[2] for title in titles] == ["hidden.1", "hidden.2"]
    assert "Answering numbers over layer" in text
    logged = [path.read_text() for path in project.folder.rglob("artifacts/report.html")]
    assert text in logged, "the parent run shows the page of all children"


def test_specs_of_one_name_are_told_apart_by_their_files(project: Project) -> None:
    parts = {"controls": None, "labels": None, "analyses": {"codes": {"kind": "code_statistics"}}}
    files = [project.spec("a/same.yaml", **parts), project.spec("b/same.yaml", about="Another.", **parts)]
    with undrawn():
        done = project.call("run", *files)
    assert done.returncode == 0, done.stderr
    (page,) = (project.folder / ".polylens").rglob("overview.html")
    text = page.read_text()
    assert re.findall(r'<h2 id="chapter-\d-title">([^<]+)<', text) == [str(file) for file in files]
    assert "Another." in text


def test_the_answer_beside_a_claim_is_the_number_that_its_rule_compares(project: Project) -> None:
    parts = {"labels": None, "refuted_if": "quality/purity <= quality/purity.random_init"}
    files = [project.spec(f"{name}.yaml", **parts) for name in ("a", "b")]
    with undrawn():
        done = project.call("run", *files)
    assert done.returncode == 0, done.stderr
    (page,) = (project.folder / ".polylens").rglob("overview.html")
    assert page.read_text().count("<small>quality: purity</small>") == 2


def test_numbers_are_logged_before_figures_are_drawn_and_not_again_behind_an_interrupt(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = project.spec()

    def interrupted(_drawing: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Drawing, "all_figures", interrupted)
        assert project.call("run", spec).returncode == 130
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    (experiment,) = [each for each in client.search_experiments() if each.name == "tests"]
    (killed,) = client.search_runs([experiment.experiment_id])
    assert killed.info.status == "KILLED"
    assert killed.data.metrics["rows"] == killed.data.metrics["examples"] > 0
    before = project.tables()
    assert any(name.startswith("small/tables/quality") for name in before), sorted(before)

    with undrawn():
        project.run(spec)
    (finished,) = client.search_runs([experiment.experiment_id])
    assert (finished.info.run_id, finished.info.status) == (killed.info.run_id, "FINISHED")
    assert {name: finished.data.metrics[name] for name in killed.data.metrics} == killed.data.metrics
    assert {name: table for name, table in project.tables().items() if name in before} == before
