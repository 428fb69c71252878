"""The benchmark of GPUs, where there is none: every part works, and failures stay where they are."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest
from tests.shapes import unchecked

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The scripts as modules."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import gpu
    import gpu_parts
    import offline_packages

    return SimpleNamespace(gpu=gpu, parts=gpu_parts, packages=offline_packages)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["equality", "harvest", "codes", "activations", "crossings"])
def test_a_part_works_at_a_tiny_size(part: str, scripts: SimpleNamespace) -> None:
    job = scripts.parts.Job("cpu", tiny=True, end=time.monotonic() + 600)
    with unchecked():
        rows = list(scripts.parts.rows_of(part, job))
    assert rows
    assert all(row.get("equal", "yes") == "yes" for row in rows)
    assert not any("left out" in row for row in rows)
    if part == "equality":
        assert rows[-1]["size"] > 0


def test_what_a_part_found_before_it_failed_or_was_stopped_is_kept(scripts: SimpleNamespace) -> None:
    first = "print('{\"what\": 1}', flush=True)"
    failing = [sys.executable, "-c", f"{first}; raise ValueError('no memory')"]
    rows, became = scripts.gpu.run_part(failing, seconds=60)
    assert rows == [{"what": 1}]
    assert "ValueError: no memory" in became
    hanging = [sys.executable, "-c", f"import time; {first}; time.sleep(600)"]
    _, became = scripts.gpu.run_part(hanging, seconds=0.5)
    assert became == "stopped after 0 s"


def test_a_part_without_time_leaves_sizes_out(scripts: SimpleNamespace) -> None:
    job = scripts.parts.Job("cpu", tiny=True, end=time.monotonic())
    (row,) = scripts.parts.rows_of("codes", job)
    assert row["left out"]


def test_wheels_of_a_folder_are_used_and_torch_is_left_alone(
    tmp_path: Path, scripts: SimpleNamespace
) -> None:
    for name in ("torch", "plain"):
        with ZipFile(tmp_path / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            about = f"{name}-1.0.dist-info"
            wheel.writestr(f"{name}.py", "here = True\n")
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    into = scripts.packages.installed(tmp_path, into=tmp_path / "into")
    assert (into / "plain.py").exists()
    assert not (into / "torch.py").exists()
    with pytest.raises(SystemExit, match="no wheels"):
        scripts.packages.installed(tmp_path / "into")
