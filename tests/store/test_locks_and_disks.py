"""Locks on disks that several machines share: they hold, or the store says that they do not."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from polylens.errors import StoreError
from polylens.store import (
    Store,
    check_shared,
    disk_of,
    disks,
    file_from_bytes,
    hold_lock,
    in_use,
    is_in_use,
    lock_of,
    locks,
)

ANOTHER_HOST = """
import sys
from pathlib import Path
import socket
socket.gethostname = lambda: "another"
from polylens.store import Store
with Store(Path(sys.argv[1])).lock("analysis", "abc"):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def unknown_disks(monkeypatch):
    """No disk has been tried yet."""
    monkeypatch.setattr(locks, "_checked", set())


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_a_disk_without_locks_is_refused_instead_of_used_without(
    tmp_path, monkeypatch, unknown_disks, number
):
    def refuse(descriptor, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    for use in (Store(tmp_path).lock("analysis", "abc"), in_use(tmp_path)):
        with pytest.raises(StoreError, match="has no locks") as caught, use:
            pass
        assert "POLYLENS_STORE" in str(caught.value)
    assert not list(tmp_path.rglob("abc*"))


def test_the_lock_of_a_process_that_calls_itself_another_host_holds_and_ends_with_it(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", ANOTHER_HOST, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"locked\n"
    file = tmp_path / "v1" / ".locks" / "analysis-abc.lock"
    assert file.is_file()
    with pytest.raises(Exception, match="could not be acquired"):
        lock_of(file).acquire(timeout=0)
    process.kill()
    process.wait()
    with Store(tmp_path).lock("analysis", "abc"):
        pass  # nobody asks whose number stood in it
    for pipe in (process.stdin, process.stdout):
        pipe.close()


def test_a_mark_that_a_killed_process_of_another_host_left_counts_for_nothing(tmp_path):
    marks = tmp_path / "v1" / ".users"
    marks.mkdir(parents=True)
    (marks / f"{os.getpid()}-of-another-host.lock").touch()
    assert not is_in_use(tmp_path)
    with in_use(tmp_path):
        assert is_in_use(tmp_path)


def test_processes_of_one_number_on_two_hosts_write_one_file_whole(tmp_path, monkeypatch):
    """Their temporary files differ: the rename of one must not take the other's half-written bytes."""
    monkeypatch.setattr(os, "getpid", lambda: 7)
    beside = []
    replace = type(tmp_path).replace

    def watch(self, target):
        beside.append(self.name)
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", watch)
    for content in (b"a", b"b"):
        file_from_bytes(tmp_path / "file", content)
    assert len(set(beside)) == 2


def test_a_lock_that_is_held_lets_nobody_else_in(tmp_path):
    with hold_lock(tmp_path / "lock"), pytest.raises(TimeoutError):
        lock_of(tmp_path / "lock").acquire(timeout=0)


MOUNTS = """\
22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw
31 22 0:44 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2,hard,local_lock=none
32 22 0:45 / /home/old\\040disk rw,relatime shared:3 - nfs server:/old rw,vers=3,nolock,local_lock=all
33 22 0:46 / /scratch rw shared:4 - lustre 10.0.0.1@o2ib:/scratch rw,flock,lazystatfs
34 22 0:47 / /local rw shared:5 - lustre 10.0.0.1@o2ib:/local rw,localflock
"""


@pytest.mark.parametrize(
    ("folder", "kind", "is_network", "split"),
    [
        ("/var/tmp", "ext4", False, None),
        ("/home/anna/polylens", "nfs4", True, None),
        ("/home/old disk/polylens", "nfs", True, "nolock"),
        ("/scratch/anna", "lustre", True, None),
        ("/local/anna", "lustre", True, "localflock"),
        ("/homework", "ext4", False, None),
    ],
)
def test_what_disk_a_folder_lies_on_is_read_off_what_is_mounted(tmp_path, folder, kind, is_network, split):
    from pathlib import Path

    (tmp_path / "mountinfo").write_text(MOUNTS)
    disk = disk_of(Path(folder), mounts=tmp_path / "mountinfo")
    assert (disk.kind, disk.is_network, disk.split_locks) == (kind, is_network, split)


def test_locks_of_one_machine_are_refused_to_jobs_of_several(tmp_path, monkeypatch):
    from pathlib import Path

    (tmp_path / "mountinfo").write_text(MOUNTS)
    monkeypatch.setattr(disks, "MOUNTS", tmp_path / "mountinfo")
    check_shared(Path("/scratch/anna"))
    with pytest.raises(StoreError, match=r"lustre, mounted with localflock.*hold on one machine alone"):
        check_shared(Path("/local/anna"))
