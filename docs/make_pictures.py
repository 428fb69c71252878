"""`python docs/make_pictures.py [NAME ...]`: makes pictures of the gallery, by running their specs.

Run it in the repository's root. Runs that are stored are found again, so a second call takes seconds.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from mlflow import MlflowClient
from PIL import Image

import polylens

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "images" / "gallery"
WIDTH = 960
PICTURES = {
    "scores": ("digits/mlp-clusters", "quality-scores"),
    "purity-coverage": ("digits/mlp-clusters", "quality-purity-coverage"),
    "row-map": ("digits/mlp-clusters", "clusters-row-map"),
    "members": ("digits/mlp-clusters", "clusters-gallery"),
    "condensed-tree": ("digits/mlp-clusters", "clusters-condensed-tree"),
    "medoid-codes": ("digits/mlp-clusters", "clusters-medoid-codes"),
    "slice": ("digits/slice", "plane-slice"),
    "imagenet-slice": ("efficientnet/slice", "plane-slice"),
    "imagenet-members": ("efficientnet/clusters", "clusters-gallery"),
    "imagenet-map": ("efficientnet/clusters", "clusters-row-map"),
}
"""Name of the picture: the experiment, and the figure's name in MLflow."""


def make(name: str) -> None:
    """Runs a picture's experiment and writes its figure as a small PNG."""
    experiment, figure = PICTURES[name]
    result = polylens.run(ROOT / "experiments" / f"{experiment}.yaml")
    client = MlflowClient(result.settings.tracking_uri)
    path = client.download_artifacts(result.children[0].run_id or "", f"figures/{figure}.png")
    picture = shrunk(Path(path))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.png").write_bytes(picture)
    print(f"{name}.png, {len(picture) // 1000} kB")


def shrunk(path: Path) -> bytes:
    """A picture as a PNG of at most `WIDTH` pixels across and 256 colours."""
    image = Image.open(path).convert("RGB")
    image.thumbnail((WIDTH, WIDTH * 3))
    out = io.BytesIO()
    # The method that keeps the colours of small photographs beside large areas of one shade.
    few = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    for chosen in sys.argv[1:] or PICTURES:
        make(chosen)
