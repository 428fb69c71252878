"""What disk a folder lies on, as far as it matters to several machines: its kind, and whose locks it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from polylens.errors import StoreError

MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    {
        "nfs",
        "nfs4",
        "lustre",
        "gpfs",
        "beegfs",
        "ceph",
        "cifs",
        "smb3",
        "afs",
        "panfs",
        "pvfs2",
        "wekafs",
        "9p",
    }
    | {"fuse.glusterfs", "fuse.sshfs", "fuse.ceph", "fuse.juicefs", "fuse.s3fs", "glusterfs", "virtiofs"}
)
_LOCKS_OF_ONE_MACHINE = {
    "nfs": ("nolock", "local_lock=all", "local_lock=flock"),
    "nfs4": ("local_lock=all", "local_lock=flock"),
    "lustre": ("localflock",),
    "cifs": ("nobrl",),
    "smb3": ("nobrl",),
}


@dataclass(frozen=True)
class Disk:
    """A mounted file system."""

    kind: str
    """Such as `ext4` or `nfs4`; empty where this system does not say."""
    options: frozenset[str] = frozenset()

    @property
    def is_network(self) -> bool:
        """Whether several machines may write to it."""
        return self.kind in _NETWORK

    @property
    def split_locks(self) -> str | None:
        """The mount option by which a lock is seen on its own machine alone; None where there is none."""
        known = _LOCKS_OF_ONE_MACHINE.get(self.kind, ())
        return next((option for option in known if option in self.options), None)


def disk_of(folder: Path, *, mounts: Path | None = None) -> Disk:
    """The disk that a folder lies on, or will when it is made.

    Args:
        folder: need not be there.
        mounts: Linux's list of what is mounted (`/proc/self/mountinfo`).
    """
    try:
        lines = (mounts or MOUNTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return Disk("")
    place = folder.resolve()
    found, depth = Disk(""), -1
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(kinds) < 3:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4]))
        if place.is_relative_to(point) and len(point.parts) >= depth:
            found = Disk(kinds[0], frozenset([*fields[5].split(","), *kinds[2].split(",")]))
            depth = len(point.parts)
    return found


def check_shared(root: Path) -> None:
    """Refuses a store whose locks do not reach from one machine to another.

    Raises:
        StoreError: its disk is mounted in such a way.
    """
    disk = disk_of(root)
    if disk.split_locks is not None:
        raise StoreError(
            f"the store {root} lies on a disk ({disk.kind}, mounted with {disk.split_locks}) whose locks "
            "hold on one machine alone: jobs on two machines would write one stage at once",
            hint="have it mounted without that, or give the store another shared disk with POLYLENS_STORE",
        )
