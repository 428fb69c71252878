"""`store`, `rm`, `report`, `doctor` and `run --scratch`, as a person at a terminal meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.houses import House


def test_the_store_is_listed_by_kind_and_by_run(house: House) -> None:
    done = house.project.call("store", "ls")
    assert done.returncode == 0
    assert "harvest" in done.stdout
    assert house.three["run_id"][:8] in done.stdout
    assert "runs refer to every stage" in done.stdout
    printed = json.loads(house.project.call("store", "ls", "--json").stdout)
    assert set(printed) == {"store", "bytes", "stages", "leftovers", "beside", "runs_unknown"}
    harvest = next(stage for stage in printed["stages"] if stage["kind"] == "harvest")
    assert {run["run_id"] for run in harvest["runs"]} == {house.three["run_id"], house.four["run_id"]}
    assert "harvest  harvest" in house.project.call("store", "ls", "--stages").stdout


def test_one_changed_byte_is_named_and_the_exit_code_says_so(house: House) -> None:
    assert house.project.call("store", "verify").stdout.endswith("stages, all as they were written\n")
    file = sorted((house.project.folder / ".polylens").rglob("activations.npy"))[0]
    content = file.read_bytes()
    try:
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        done = house.project.call("store", "verify")
        assert done.returncode == 1
        digest = file.parent.name
        assert f"{digest}: activations.npy has other contents than were written" in done.stdout
        (damaged,) = json.loads(house.project.call("store", "verify", "--json").stdout)["damaged"]
        assert damaged["digest"] == digest
    finally:
        file.write_bytes(content)


@pytest.mark.usefixtures("deleted_four")
def test_clearing_is_only_said_until_it_is_asked_for(house: House) -> None:
    done = house.project.call("store", "gc")
    assert "would remove 4 stages" in done.stdout
    assert "nothing was removed; --yes removes it" in done.stdout
    printed = json.loads(house.project.call("store", "gc", "--json").stdout)
    assert (printed["removed"], len(printed["stages"])) == (False, 4)
    assert house.project.call("store", "gc", "--older-than", "1y").returncode == 2


def test_a_run_is_removed_only_when_asked_and_can_be_brought_back(house: House) -> None:
    run = house.four["run_id"]
    said = house.project.call("rm", run[:10]).stdout
    assert said.startswith(f"would remove {run[:8]} '{house.four['name']}'")
    assert "then frees" in said
    assert "4 stages that no other run refers to" in said
    assert house.client.get_run(run).info.lifecycle_stage == "active"
    try:
        said = house.project.call("rm", house.four["name"], "--yes").stdout
        assert house.client.get_run(run).info.lifecycle_stage == "deleted"
        assert f"mlflow runs restore --run-id {run}" in said
        assert house.project.call("report", run).returncode == 2
    finally:
        house.client.restore_run(run)
    assert house.project.call("report", run).returncode == 0


def test_the_page_of_a_past_run_is_found_by_its_name_and_written_where_asked(
    house: House, tmp_path: Path
) -> None:
    done = house.project.call("report", house.three["name"], "--out", tmp_path / "page.html")
    assert done.stdout == f"{tmp_path / 'page.html'}\n"
    stored = (house.project.folder / ".polylens").glob("v1/report/*/report.html")
    assert (tmp_path / "page.html").read_bytes() in [path.read_bytes() for path in stored]
    wrong = house.project.call("report", f"{house.three['name']}x")
    assert wrong.returncode == 2
    assert f"did you mean '{house.three['name']}'?" in wrong.stderr


def test_the_doctor_finds_all_well_and_names_what_is_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = house.project.call("doctor", "--json")
    checks = {check["what"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0
    assert {"python", "packages", "torchvision", "cpu", "gpu", "store", "tracker", "schema"} <= set(checks)
    assert not any(check["level"] == "problem" for check in checks.values())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    done = house.project.call("doctor")
    assert done.returncode == 1
    assert "problem  tracker      http://127.0.0.1:9: connection refused" in done.stdout


def test_a_scratch_run_leaves_no_run_and_its_results_are_there_for_the_next(house: House) -> None:
    before = {run.info.run_id for run in house.client.search_runs(["1"])}
    done = house.project.call("run", house.spec, "--scratch", "--set", "analyses.groups.clusters=5")
    assert done.returncode == 0
    assert "Scratch: nothing is in MLflow" in done.stdout
    (run,) = house.project.run(house.spec, "--scratch", "--set", "analyses.groups.clusters=5")
    assert (run["run_id"], run["logged"]) == (None, False)
    assert {stage["status"] for stage in run["stages"]} == {"stored"}
    assert {run.info.run_id for run in house.client.search_runs(["1"])} == before
    house.project.call("store", "gc", "--yes")
    assert "runs refer to every stage" in house.project.call("store", "ls").stdout
