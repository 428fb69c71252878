"""Trees that several processes make together, from the command line: the bytes of one process."""

from __future__ import annotations

import shutil

import pytest

from polylens.analyses import hdbscan, spanning_tree
from polylens.study import sharing

pytestmark = pytest.mark.slow

CHANGES = {
    "layer": "input",
    "code": {"kind": "sign", "units": "downstream", "through": "output", "positions": "all"},
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16, 16], "classes": 10},
    "dataset": {"kind": "digits", "split": "test", "test_fraction": 0.4},
    "controls": None,
    "analyses": {
        "clusters": {"kind": "hdbscan", "on": "activation", "min_cluster_size": 5, "subsamples": 1},
        "sampled": {"kind": "hdbscan", "on": "code", "sample": 200, "subsamples": 0},
    },
    "labels": None,
}


def analyses(project):
    """Bytes of every file of every stored analysis, but for manifests, which say when."""
    home = project.folder / ".polylens" / "v1" / "analysis"
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def test_processes_share_the_pairs_and_write_the_bytes_of_one(project, monkeypatch):
    project.run(project.spec(**CHANGES))
    expected = analyses(project)
    assert len({name.partition("/")[0] for name in expected}) == 4, "two clusterings and two trees"
    shutil.rmtree(project.folder / ".polylens" / "v1" / "analysis")
    started = []

    def begin(crew, *, hear):
        started.append(crew.stage)
        run_workers(crew, hear=hear)

    run_workers = sharing.run_workers
    monkeypatch.setattr(sharing, "run_workers", begin)
    for module in (hdbscan, spanning_tree):
        monkeypatch.setattr(module, "WORTH_SHARING", 300)
    done = project.call("run", project.spec(**CHANGES), "--devices", "2", "--accelerator", "cpu")
    assert done.returncode == 0, done.stderr
    assert started == ["clusters.spanning_tree", "sampled"]
    assert analyses(project) == expected
