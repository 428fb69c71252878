"""A disk that is full while a run writes: what is said, and the same command once there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.projects import Project

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that is a disk of its own, to be made larger with `mount -o remount,size=`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode != 0:
        pytest.skip(f"this user may not mount a disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        # Lazily: arrays that are still mapped keep it busy.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_each_kind_of_stage_says_that_the_disk_is_full_and_goes_on_when_it_is_not(
    project: Project, undisturbed: Project, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYLENS_STORE", str(small_disk / "store"))
    spec = project.spec()
    failed = []
    # Bytes that training, rows, a tree and pictures do not fit into any more.
    for size in ("16k", "48k", "140k", "900k"):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(small_disk)], check=True)
        done = project.call("run", spec)
        assert done.returncode == 1
        assert "no space is left for the store" in done.stderr
        assert "not done again" in done.stderr
        assert "Errno" not in done.stderr
        failed.append(done.stderr.partition("stage ")[2].partition(" ")[0])
    assert len(set(failed)) == 4
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    project.run(spec)
    tables, expected = project.tables(), undisturbed.tables()
    assert tables.keys() == expected.keys()
    assert [name for name in tables if tables[name] != expected[name]] == []
