"""Failures while running: which stage, which line, what to do; other children go on; damage is mended."""

from __future__ import annotations

import pytest
from tests.projects import Project, ran

pytestmark = pytest.mark.slow


def test_a_failing_analysis_names_its_stage_its_line_and_what_to_do(project: Project) -> None:
    # k-means cannot make more clusters than there are rows.
    analyses = {"groups": {"kind": "kmeans", "on": "activation", "clusters": 100_000}}
    spec = project.spec(analyses=analyses, labels=None, controls=None)
    done = project.call("run", spec)
    assert done.returncode == 1
    line = next(i for i, text in enumerate(spec.read_text().splitlines(), 1) if "groups" in text)
    assert "stage groups failed" in done.stderr
    assert f"small.yaml:{line}:" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_other_children_of_a_sweep_go_on(project: Project) -> None:
    analyses = {"groups": {"kind": "kmeans", "on": "activation", "clusters": 3}}
    spec = project.spec(
        analyses=analyses, labels=None, controls=None, sweep={"analyses.groups.clusters": [100_000, 3]}
    )
    done = project.call("run", spec)
    assert done.returncode == 3, done.stderr
    assert "clusters=100000" in done.stderr


def test_a_layer_that_does_not_exist_is_found_before_anything_is_computed(project: Project) -> None:
    done = project.call("run", project.spec(layer="hidden.7"))
    assert done.returncode == 2
    assert "hidden.7" in done.stderr
    assert "did you mean" in done.stderr
    assert not (project.folder / ".polylens").exists()


def test_a_damaged_result_is_found_said_and_computed_again(project: Project) -> None:
    spec = project.spec(controls=None)
    before = project.run(spec)[0]
    rows = next((project.folder / ".polylens").rglob("activations.npy"))
    content = bytearray(rows.read_bytes())
    content[-1] ^= 0xFF
    rows.write_bytes(content)
    done = project.call("run", spec, "--set", "analyses.clusters.min_cluster_size=6")
    assert done.returncode == 0, done.stderr
    assert "damaged" in done.stderr
    after = project.run(spec)[0]
    assert ran(after) == set()
    assert after["metrics"] == before["metrics"]


def test_a_missing_dataset_is_said_with_the_line_that_asks_for_it(project: Project) -> None:
    spec = project.spec(dataset={"kind": "image_folder", "root": "data/none", "train_fraction": 0.5})
    line = next(i for i, text in enumerate(spec.read_text().splitlines(), 1) if text.startswith("dataset:"))
    done = project.call("run", spec)
    assert done.returncode == 1
    assert "no image folder at" in done.stderr
    assert f"small.yaml:{line}:" in done.stderr
    assert "Traceback" not in done.stderr
