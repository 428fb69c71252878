"""torchvision and Lightning beside a torch whose build they were not made for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.forking import forks

# Stands in for a wheel whose operators did not load: importing it works once both operators are declared.
NEEDS_OPERATORS = """\
import torch
for name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, name):
        raise RuntimeError(f"operator torchvision::{name} does not exist")
"""


Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def call() -> Iterator[Call]:
    """Runs a program in a process where torch alone is imported."""
    with forks("torch", "torch._dynamo") as started:

        def run(program: str, *, site: Path | None = None) -> subprocess.CompletedProcess[str]:
            environment = os.environ if site is None else {**os.environ, "PYTHONPATH": str(site)}
            return started.call(program, environment=environment)

        yield run


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a package `torchvision` that does nothing yet."""
    for package in ("torchvision", "torchvision/models", "torchvision/transforms/v2/functional"):
        (tmp_path / package).mkdir(parents=True)
    for folder in [path for path in tmp_path.rglob("*") if path.is_dir()]:
        (folder / "__init__.py").touch()
    return tmp_path


def test_missing_operators_are_declared_so_that_torchvision_imports(site: Path, call: Call) -> None:
    (site / "torchvision" / "__init__.py").write_text(NEEDS_OPERATORS)
    done = call(
        "from polylens import imports\n"
        "print(imports.torchvision().__file__)\n"
        "assert imports.torchvision() is imports.torchvision()",
        site=site,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(site / "torchvision" / "__init__.py")


def test_what_else_is_wrong_with_torchvision_is_not_hidden(site: Path, call: Call) -> None:
    (site / "torchvision" / "__init__.py").write_text('raise RuntimeError("no such driver")\n')
    done = call("from polylens import imports\nimports.torchvision()", site=site)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("RuntimeError: no such driver")


def test_sparse_autoencoders_do_not_decode_by_a_library_that_needs_a_gpu(site: Path, call: Call) -> None:
    (site / "sparsify").mkdir()
    (site / "sparsify" / "__init__.py").write_text(
        'import os\nprint("loud")\nTRITON_IS_OFF = os.environ.get("SPARSIFY_DISABLE_TRITON")\n'
    )
    done = call(
        "from polylens import imports\nprint(imports.sparsify().TRITON_IS_OFF)",
        site=site,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1"]


def test_the_installed_libraries_import_in_silence() -> None:
    program = (
        "import warnings; warnings.simplefilter('error')\n"
        "from polylens import imports\n"
        "imports.lightning().Trainer, imports.torchvision().models.resnet18"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_lightning_brings_no_metrics_along_that_nobody_asked_for(call: Call) -> None:
    done = call(
        "import sys\n"
        "from polylens import imports\n"
        "imports.lightning()\n"
        "heavy = ('torchmetrics.functional', 'transformers', 'torchvision')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_all_metrics_are_there_once_they_are_asked_for(call: Call) -> None:
    done = call(
        "from polylens import imports\n"
        "module = imports.lightning()\n"
        "from torchmetrics import Accuracy, Metric, MetricCollection, functional\n"
        "import torchmetrics.classification\n"
        "assert issubclass(torchmetrics.classification.MulticlassAccuracy, Metric)\n"
        "from pytorch_lightning.core import module as of_lightning\n"
        "assert of_lightning.Metric is Metric is torchmetrics.Metric\n"
        "assert of_lightning.MetricCollection is MetricCollection\n"
        "print(float(functional.accuracy(*[__import__('torch').tensor([0, 1])] * 2, task='binary')))"
    )
    assert (done.returncode, done.stdout.strip()) == (0, "1.0"), done.stderr


def test_metrics_that_were_imported_before_stay_what_they_are(call: Call) -> None:
    done = call(
        "from polylens import imports\n"
        "imports.torchvision()\n"
        "import torchmetrics\n"
        "before = torchmetrics.Accuracy\n"
        "imports.lightning()\n"
        "import torchmetrics\n"
        "assert torchmetrics.Accuracy is before"
    )
    assert done.returncode == 0, done.stderr


def test_metrics_of_another_make_are_imported_whole(site: Path, call: Call) -> None:
    """A version that has its classes in other places than those that are looked into."""
    (site / "torchmetrics").mkdir()
    (site / "torchmetrics" / "__init__.py").write_text(
        "import torch\n"
        "__version__ = '9.0'\n"
        "class Metric(torch.nn.Module): pass\n"
        "class MetricCollection(torch.nn.Module): pass\n"
    )
    done = call(
        "from polylens import imports\n"
        "imports.lightning()\n"
        "import torchmetrics\n"
        "from pytorch_lightning.core import module as of_lightning\n"
        "assert of_lightning.Metric is torchmetrics.Metric\n"
        "print(torchmetrics.__version__)",
        site=site,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "9.0"), done.stderr
