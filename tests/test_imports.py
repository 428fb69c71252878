"""torchvision and Lightning beside a torch whose build they were not made for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Stands in for a wheel whose operators did not load: importing it works once both operators are declared.
NEEDS_OPERATORS = """\
import torch
for name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, name):
        raise RuntimeError(f"operator torchvision::{name} does not exist")
"""


def call(program: str, *, site: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ if site is None else {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a package `torchvision` that does nothing yet."""
    for package in ("torchvision", "torchvision/models", "torchvision/transforms/v2/functional"):
        (tmp_path / package).mkdir(parents=True)
    for folder in [path for path in tmp_path.rglob("*") if path.is_dir()]:
        (folder / "__init__.py").touch()
    return tmp_path


def test_missing_operators_are_declared_so_that_torchvision_imports(site: Path) -> None:
    (site / "torchvision" / "__init__.py").write_text(NEEDS_OPERATORS)
    done = call(
        "from polylens import imports\n"
        "print(imports.torchvision().__file__)\n"
        "assert imports.torchvision() is imports.torchvision()",
        site=site,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(site / "torchvision" / "__init__.py")


def test_what_else_is_wrong_with_torchvision_is_not_hidden(site: Path) -> None:
    (site / "torchvision" / "__init__.py").write_text('raise RuntimeError("no such driver")\n')
    done = call("from polylens import imports\nimports.torchvision()", site=site)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("RuntimeError: no such driver")


def test_sparse_autoencoders_do_not_decode_by_a_library_that_needs_a_gpu(site: Path) -> None:
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
    done = call(
        "import warnings; warnings.simplefilter('error')\n"
        "from polylens import imports\n"
        "imports.lightning().Trainer, imports.torchvision().models.resnet18"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
