"""Which commit a file stands at, asked of the git executable; every answer may be missing."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 10


@dataclass(frozen=True)
class Commit:
    """The commit of the repository that a file lies in."""

    commit: str | None = None
    """None where there is no git, no repository or no commit."""
    is_dirty: bool | None = None
    """Whether tracked files differ from the commit, or the file itself is not in it; None where unknown."""
    is_tracked: bool = False
    """Whether the file is in the repository at all."""
    reason: str = ""
    """Why something is unknown."""


def commit_of(path: Path) -> Commit:
    """The commit that `path` (a file) stands at.

    A repository owned by someone else is only asked for its commit: asking for changes could run programs
    that the repository's own configuration names.
    """
    folder = path.parent
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top.failed_by_owner:
        safe = ["-c", "safe.directory=*"]
        commit = _git(folder, *safe, "rev-parse", "--verify", "HEAD")
        return Commit(
            commit=commit.text or None,
            is_tracked=True,
            reason=f"the repository of {folder} belongs to someone else, so changes were not looked for",
        )
    if top.text is None:
        return Commit(reason=top.error)
    tracked = _git(folder, "ls-files", "--error-unmatch", "--", path.name).text is not None
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if commit.text is None:
        return Commit(is_tracked=tracked, reason="the repository has no commit yet")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    dirty = None if changes.text is None else bool(changes.text) or not tracked
    return Commit(commit=commit.text, is_dirty=dirty, is_tracked=tracked, reason=changes.error)


@dataclass(frozen=True)
class _Answer:
    text: str | None
    error: str = ""

    @property
    def failed_by_owner(self) -> bool:
        return "dubious ownership" in self.error or "safe.directory" in self.error


def _git(folder: Path, *arguments: str) -> _Answer:
    # Optional locks would let a look at the repository collide with the user's own git commands.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            timeout=_SECONDS,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return _Answer(None, "git is not installed")
    except (OSError, subprocess.TimeoutExpired) as error:
        return _Answer(None, str(error))
    if done.returncode:
        return _Answer(None, done.stderr.decode(errors="replace").strip().partition("\n")[0])
    return _Answer(done.stdout.decode(errors="replace").strip())
