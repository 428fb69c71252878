"""Failures while running: which stage, which line, what to do; other children go on; damage is mended."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.pictures import undrawn
from tests.projects import Project, ran

from polylens.errors import StoreError
from polylens.store import Store

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
    analyses = {"groups": {"kind": "kmeans", "on": "activation", "clusters": 3, "subsamples": 0}}
    spec = project.spec(
        analyses=analyses, labels=None, controls=None, sweep={"analyses.groups.clusters": [100_000, 3]}
    )
    with undrawn():
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
    with undrawn():
        before = project.run(spec)[0]
    rows = next((project.folder / ".polylens").rglob("activations.npy"))
    content = bytearray(rows.read_bytes())
    content[-1] ^= 0xFF
    rows.write_bytes(content)
    with undrawn():
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


def test_one_changed_byte_in_any_file_of_any_stage_is_found(undisturbed: Project, tmp_path: Path) -> None:
    shutil.copytree(undisturbed.folder / ".polylens", tmp_path / "store")
    stages = [(stage.kind, stage.digest) for stage in Store(tmp_path / "store").stages()]
    tried = set()
    for kind, digest in stages:
        folder = tmp_path / "store" / "v1" / kind / digest
        for path in [path for path in folder.rglob("*") if path.is_file()]:
            tried.add((kind, path.name))
            content = path.read_bytes()
            # A digit of the manifest's date, for its layout may change without a word.
            at = content.index(b'"created"') + 15 if path.name == "manifest.json" else len(content) // 2
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            with pytest.raises(StoreError):
                Store(tmp_path / "store").open(kind, digest)
            # The store has put the stage aside.
            (aside,) = (tmp_path / "store" / "v1" / "quarantine").iterdir()
            aside.rename(folder)
            path.write_bytes(content)
        assert Store(tmp_path / "store").open(kind, digest) == folder
    assert len(tried) > 20
