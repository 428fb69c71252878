"""Imports all that runs import, so that processes forked from the one that imports this have it."""

from __future__ import annotations

import importlib

from numba.core.registry import cpu_target
from PIL import Image

from polylens.imports import lightning
from polylens.memory import for_good

_SLOW_TO_IMPORT = (
    *("alembic.command", "jinja2", "matplotlib.pyplot", "mlflow.store.tracking.sqlalchemy_store", "numba"),
    *("pandas", "pandas.io.formats.csvs"),
    *("polylens.analyses.cluster_quality.comparison", "polylens.cli.run", "polylens.clustering"),
    *("polylens.dataflow", "polylens.figures", "polylens.harvest.collecting", "polylens.kernels.means"),
    *("polylens.study.running", "polylens.training.learner", "pyarrow.dataset", "pyarrow.parquet"),
    *(
        "safetensors.torch",
        "scipy.stats",
        "sklearn.cluster",
        "sklearn.datasets",
        "sklearn.manifold",
        "sqlalchemy.dialects.sqlite",
    ),
)

with for_good():
    lightning()
    for name in _SLOW_TO_IMPORT:
        importlib.import_module(name)
    # What these look for when they are first used.
    Image.init()
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
