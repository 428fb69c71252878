"""Stages are whole or not there, made once, and never used when damaged."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from polylens.errors import StoreError
from polylens.store import DamagedError, Store, save_array


class Notes:
    """Progress that keeps its notes."""

    def __init__(self):
        self.texts = []

    @contextmanager
    def task(self, title, *, total, unit):
        yield self

    def advance(self, amount=1.0):
        pass

    def note(self, text):
        self.texts.append(text)


def write(store, digest, content=b"rows", kind="analysis"):
    with store.write_stage(kind, digest, about={"name": "clusters"}) as folder:
        assert folder is not None
        (folder / "a.bin").write_bytes(content)
        (folder / "deep").mkdir()
        (folder / "deep" / "b.txt").write_text("x")


def test_a_store_that_cannot_be_made_is_said_with_another_place_to_take(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="cannot be made") as caught:
        Store(tmp_path / "file" / "store").prepare()
    assert "POLYLENS_STORE" in str(caught.value)


def test_a_written_stage_is_there_with_its_manifest(tmp_path):
    store = Store(tmp_path / "store")
    assert not store.has("analysis", "abc")
    write(store, "abc")
    assert store.has("analysis", "abc")
    assert (store.open("analysis", "abc") / "a.bin").read_bytes() == b"rows"
    manifest = store.manifest("analysis", "abc")
    assert set(manifest.files) == {"a.bin", "deep/b.txt"}
    assert manifest.about == {"name": "clusters"}
    assert manifest.n_bytes == 5
    assert manifest.versions["polylens"]
    assert [found.digest for found in store.stages()] == ["abc"]


def test_writing_again_gives_nothing_to_do(tmp_path):
    store = Store(tmp_path)
    write(store, "abc")
    with store.write_stage("analysis", "abc", about={}) as folder:
        assert folder is None


def test_a_block_that_fails_leaves_nothing(tmp_path):
    store = Store(tmp_path)

    def fail():
        with store.write_stage("analysis", "abc", about={}) as folder:
            (folder / "a.bin").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not store.has("analysis", "abc")
    assert list(tmp_path.glob("v1/.unfinished/*")) == []
    write(store, "abc")


def test_a_stage_that_is_not_there_cannot_be_opened(tmp_path):
    with pytest.raises(StoreError, match="holds no analysis abc"):
        Store(tmp_path).open("analysis", "abc")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: (folder / "a.bin").write_bytes(b"rowz"), "other contents"),
        (lambda folder: (folder / "a.bin").write_bytes(b"row"), "3 bytes instead of 4"),
        (lambda folder: (folder / "deep" / "b.txt").unlink(), "is missing"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "manifest.json").write_text('{"schema": 1}'), "other contents"),
    ],
)
def test_a_damaged_stage_is_put_aside_and_can_be_made_again(tmp_path, harm, said):
    store = Store(tmp_path)
    write(store, "abc")
    harm(store.open("analysis", "abc"))
    with pytest.raises(DamagedError, match=said):
        store.open("analysis", "abc")
    assert not store.has("analysis", "abc")
    assert len(list(tmp_path.glob("v1/quarantine/analysis-abc-*"))) == 1
    write(store, "abc")
    assert (store.open("analysis", "abc") / "a.bin").read_bytes() == b"rows"


def test_a_damaged_stage_is_found_by_the_next_process_that_writes(tmp_path):
    write(Store(tmp_path), "abc")
    (tmp_path / "v1/analysis/abc/a.bin").write_bytes(b"rowz")
    notes = Notes()
    with Store(tmp_path).write_stage("analysis", "abc", about={}, progress=notes) as folder:
        assert folder is not None
        (folder / "a.bin").write_bytes(b"anew")
    assert "damaged" in notes.texts[0]
    assert (Store(tmp_path).open("analysis", "abc") / "a.bin").read_bytes() == b"anew"


def test_unchanged_files_are_hashed_once_a_process(tmp_path, monkeypatch):
    write(Store(tmp_path), "abc")
    store, hashed = Store(tmp_path), []
    real = sys.modules["polylens.store.manifest"].file_sha256
    monkeypatch.setattr("polylens.store.manifest.file_sha256", lambda path: hashed.append(path) or real(path))
    store.open("analysis", "abc")
    store.open("analysis", "abc")
    assert len(hashed) == 2  # two files, each once


@pytest.mark.parametrize(("schema", "age"), [(0, "an older"), (2, "a newer")])
def test_another_version_of_the_store_is_refused(tmp_path, schema, age):
    store = Store(tmp_path)
    write(store, "abc")
    path = tmp_path / "v1/analysis/abc/manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": schema}))

    def ask_to_write():
        with store.write_stage("analysis", "abc", about={}):
            pass

    for ask in (lambda: store.has("analysis", "abc"), lambda: store.open("analysis", "abc"), ask_to_write):
        with pytest.raises(StoreError, match=f"{age} polylens") as caught:
            ask()
        assert not isinstance(caught.value, DamagedError)
        assert "POLYLENS_STORE" in str(caught.value)
    assert path.exists()


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    store = Store(tmp_path)

    def fill():
        with store.write_stage("analysis", "abc", about={}):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreError, match="no space is left"):
        fill()
    assert not store.has("analysis", "abc")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("array", [np.arange(7.0), np.zeros((300, 400), dtype=np.uint8)])
def test_an_array_on_a_full_disk_says_that_the_disk_is_full(array):
    with pytest.raises(OSError, match="No space left") as caught:
        save_array(Path("/dev/full"), array)
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize(
    "array",
    [np.arange(7.0), np.asfortranarray(np.ones((3, 4), "float32")), np.zeros((0, 5), bool), np.ones(())],
)
def test_an_array_is_written_as_numpy_writes_it(tmp_path, array):
    save_array(tmp_path / "ours.npy", array)
    np.save(tmp_path / "theirs.npy", array)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_store_is_said_when_written_and_still_read(tmp_path):
    write(Store(tmp_path), "abc")
    folders = [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert Store(tmp_path).open("analysis", "abc").is_dir()
        with pytest.raises(StoreError, match="cannot be written"):
            write(Store(tmp_path), "other")
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_refused_path_within_the_store_is_said(tmp_path, monkeypatch):
    store = Store(tmp_path)

    def refuse(self, *args, **kwargs):
        raise PermissionError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match="cannot be written: Read-only file system"):
        write(store, "abc")


def test_errors_of_the_work_itself_stay_what_they_are(tmp_path):
    def fail():
        with Store(tmp_path).write_stage("analysis", "abc", about={}):
            (tmp_path / "no-such-folder" / "image.png").read_bytes()

    with pytest.raises(FileNotFoundError):
        fail()


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    left = tmp_path / "v1/.unfinished/analysis-dead"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    write(Store(tmp_path), "abc")
    assert not left.exists()


def test_temporary_folders_of_living_processes_stay(tmp_path):
    writer, other = Store(tmp_path), Store(tmp_path)
    with writer.write_stage("analysis", "one", about={}) as folder:
        (folder / "a").write_bytes(b"x")
        thread = threading.Thread(target=write, args=(other, "two"))
        thread.start()
        thread.join()
        assert (folder / "a").exists()
    assert writer.has("analysis", "one")
    assert writer.has("analysis", "two")


def test_partial_work_stays_until_the_stage_is_committed(tmp_path):
    store = Store(tmp_path)
    with store.lock("harvest", "abc"):
        (store.partial("harvest", "abc") / "shard").write_bytes(b"x")
    again = Store(tmp_path)
    with again.lock("harvest", "abc"):
        assert (again.partial("harvest", "abc") / "shard").exists()
        with again.commit_stage("harvest", "abc", about={}) as folder:
            (folder / "rows").write_bytes(b"x")
    assert list(tmp_path.glob("v1/.partial/*")) == []


def test_names_cannot_leave_the_store(tmp_path):
    for kind, digest in (("analysis", "../x"), ("../x", "abc"), ("quarantine", "abc")):
        with pytest.raises(ValueError, match="not a stage"):
            Store(tmp_path).has(kind, digest)


WRITER = """
import sys
from pathlib import Path
from polylens.store import Store
store = Store(Path(sys.argv[1]))
for number in range(1000):
    with store.write_stage("analysis", f"s{number}", about={}) as folder:
        if folder is not None:
            for part in range(5):
                (folder / f"{part}.bin").write_bytes(bytes([number % 256]) * 20_000)
    print(number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("trial", range(4))
def test_a_writer_killed_at_any_moment_leaves_only_whole_stages(tmp_path, trial):
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    process.stdout.readline()
    time.sleep(random.Random(trial).uniform(0.0, 0.2))
    process.send_signal(signal.SIGKILL)
    finished = [int(line) for line in process.communicate()[0].split()]
    store = Store(tmp_path)
    stages = store.stages()
    for manifest in stages:
        folder = store.open("analysis", manifest.digest)
        assert len(list(folder.iterdir())) == 6
    assert len(stages) >= len(finished)
    write(store, "after")  # locks died with their process
    assert list(tmp_path.glob("v1/.unfinished/*")) == []


SLOW_WRITER = """
import sys, time
from pathlib import Path
from polylens.store import Store
with Store(Path(sys.argv[1])).write_stage("analysis", "same", about={}) as folder:
    print("in", flush=True)
    sys.stdin.readline()
    (folder / "by").write_text("first")
"""


def test_two_processes_make_the_same_stage_once_and_the_second_says_that_it_waits(tmp_path):
    first = subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout.readline() == b"in\n"

    class LetsFirstGoOn(Notes):
        def note(self, text):
            super().note(text)
            first.stdin.write(b"\n")
            first.stdin.flush()

    notes = LetsFirstGoOn()
    with Store(tmp_path).write_stage("analysis", "same", about={}, progress=notes) as folder:
        assert folder is None
    first.communicate()
    assert notes.texts == ["another process is making analysis same; waiting for it"]
    assert (Store(tmp_path).open("analysis", "same") / "by").read_text() == "first"
