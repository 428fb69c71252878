from __future__ import annotations

import pytest

from polylens.store import JOBS, mark_finished, take_inventory
from polylens.store.finished_jobs import files_of_finished_jobs

PARTS = ("submitted.pkl", "0_log.out", "0_log.err", "0_result.pkl")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / JOBS / "small"
    made.mkdir(parents=True)
    (made / "jobs.json").write_text("{}")
    return made


def lay(folder, *jobs):
    for job in jobs:
        for part in PARTS:
            (folder / f"{job}_{part}").write_text(part)
        (folder / f"{job.partition('_')[0]}_submission.sh").write_text("#!/bin/sh")


def files(*jobs, also=None):
    ends = (".finished", *(f"_{part}" for part in PARTS))
    return sorted([*(f"{job}{end}" for job in jobs for end in ends), *([also] if also else [])])


def names(tmp_path):
    return sorted(path.name for _, path in files_of_finished_jobs(tmp_path))


def test_files_of_jobs_go_once_their_runs_are_done_and_not_before(tmp_path, folder):
    lay(folder, "100")
    assert names(tmp_path) == []
    mark_finished(folder, "100")
    assert names(tmp_path) == files("100", also="100_submission.sh")


def test_a_failed_job_of_an_array_keeps_its_files_and_the_script(tmp_path, folder):
    lay(folder, "7_1", "7_10", "7_2")
    mark_finished(folder, "7_1")
    mark_finished(folder, "7_2")
    assert names(tmp_path) == files("7_1", "7_2")
    mark_finished(folder, "7_10")
    assert "7_submission.sh" in names(tmp_path)


def test_a_folder_of_finished_jobs_alone_goes_as_a_whole(tmp_path, folder):
    local = folder / "local-1a2b3c4d"
    local.mkdir()
    lay(local, "4711")
    mark_finished(local, "4711")
    lay(folder, "12")
    assert names(tmp_path) == ["local-1a2b3c4d"]


def test_bytes_are_counted_once(tmp_path, folder):
    lay(folder, "1", "2")
    whole = take_inventory(tmp_path).n_bytes
    mark_finished(folder, "1")
    found = take_inventory(tmp_path)
    assert found.n_bytes == whole
    assert {each.what for each in found.leftovers} == {"of a job"}
    assert all("job 1, which did its run" in each.about for each in found.leftovers)
