"""The shipped GoogLeNet experiment on generated images, with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.pictures import undrawn
from tests.projects import Project

pytestmark = pytest.mark.slow
_SHIPPED = Path(__file__).parents[2] / "experiments" / "googlenet" / "image-folder.yaml"


def _draw_images(folder: Path) -> None:
    """Three classes that differ by the direction of their stripes, and one file that is no image."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:240, :260]
    for name, ramp in (("across", rows), ("along", columns), ("aslant", rows + columns)):
        (folder / name).mkdir(parents=True)
        for number in range(8):
            stripes = 127 * (1 + np.sin(ramp / generator.uniform(4, 9) + generator.uniform(0, 6)))
            noise = generator.normal(0, 12, (240, 260, 3))
            pixels = np.clip(stripes[:, :, None] + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    (folder / "across" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n but no image")


def test_the_shipped_googlenet_experiment_runs_on_an_image_folder(project: Project) -> None:
    _draw_images(project.folder / "pictures")
    changes = (
        "model=googlenet-random",
        "dataset.root=pictures",
        "dataset.examples=null",
        "controls=[{use: random_init, draws: 1}]",
        "analyses.clusters.min_cluster_size=3",
        "refuted_if=null",
    )
    with undrawn():
        run = project.run(_copied(project), *(word for change in changes for word in ("--set", change)))[0]
    assert run["status"] == "done"
    assert {"clusters/coverage", "quality/coverage", "agreement/adjusted_mutual_information"} <= run[
        "metrics"
    ].keys()
    assert "clusters/coverage.raw_inputs" in run["metrics"]
    report = next((project.folder / ".polylens").rglob("report.html")).read_text()
    assert "broken.png" in report


def _copied(project: Project) -> Path:
    path = project.folder / "experiments" / "googlenet" / _SHIPPED.name
    path.parent.mkdir(parents=True)
    path.write_text(_SHIPPED.read_text())
    return path
