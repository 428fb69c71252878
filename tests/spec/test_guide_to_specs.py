"""The examples of the guide are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polylens.spec import load

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "specs.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
WHOLE = BLOCKS[0]


def test_the_whole_example_is_a_right_spec(folder: Path) -> None:
    (folder / "spec.yaml").write_text(WHOLE)
    assert [child.experiment.layer for child in load(folder / "spec.yaml").children] == [
        "hidden.1",
        "hidden.2",
        "hidden.3",
    ]


@pytest.mark.parametrize(
    ("part", "children"),
    [("sweep:\n  seed: [0, 1, 2]\n  analyses", 9), ("sweep:\n  zip:", 6)],
)
def test_the_sweeps_make_as_many_runs_as_the_guide_says(part: str, children: int, folder: Path) -> None:
    (block,) = [block for block in BLOCKS if block.startswith(part)]
    (folder / "spec.yaml").write_text(WHOLE[: WHOLE.index("sweep:")] + block)
    assert len(load(folder / "spec.yaml").children) == children


def test_the_example_of_extends_changes_what_it_says(folder: Path) -> None:
    (block,) = [block for block in BLOCKS if block.startswith("extends:")]
    (folder / "mlp-clusters.yaml").write_text(WHOLE)
    (folder / "spec.yaml").write_text(block)
    analyses = load(folder / "spec.yaml").children[0].experiment.analyses
    assert list(analyses) == ["clusters", "code_clusters", "quality"]
    assert analyses["clusters"].to_plain()["min_cluster_size"] == 20


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "model.training.epochs=20",
        "controls.0.draws=5",
        "layer=[hidden.1, hidden.2]",
        "sweep.layer=null",
        "model={use: digits-mlp, training: {epochs: 20}}",
        "layer=hidden.?",
    ],
)
def test_the_overrides_of_the_guide_work(override: str, folder: Path) -> None:
    text = WHOLE if override.startswith("sweep") else WHOLE[: WHOLE.index("sweep:")]
    (folder / "spec.yaml").write_text(text)
    assert load(folder / "spec.yaml", overrides=[override]).children
