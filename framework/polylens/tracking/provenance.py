"""Where numbers come from: versions, device, commits, seed, command line."""

from __future__ import annotations

import getpass
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from polylens.store import package_versions, version_of
from polylens.tracking.git import Commit, commit_of

_TAGGED = ("polylens", "torch", "pytorch-lightning", "scikit-learn", "mlflow")


@dataclass(frozen=True)
class Provenance:
    """Everything that is known about where a run's numbers come from."""

    spec_file: str
    spec_commit: Commit
    framework_commit: Commit
    seed: int | None
    command: str
    user: str
    started: str
    """Date and time in UTC, ISO 8601."""
    python: str
    platform: str
    versions: Mapping[str, str]
    device: str
    """What computed, such as `cpu` or a GPU's name."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Other packages whose kinds the run uses, and their versions."""
    threads: int | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall time of each stage that ran."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data, for `provenance.json` and for `TrackedRun.log_provenance`."""
        return asdict(self)


def collect_provenance(
    *,
    spec_file: Path | None,
    seed: int | None,
    spec_commit: Commit | None = None,
    device: str = "",
    command: Sequence[str] | None = None,
    seconds: Mapping[str, float] | None = None,
    packages: Mapping[str, str] | None = None,
) -> Provenance:
    """What can be known here and now.

    Args:
        spec_file: the spec; None where it was given from Python.
        seed: the spec's seed.
        spec_commit: the commit that the spec stood at when it was read; None asks git.
        device: what computed; empty asks torch, if it has been imported.
        command: the command line; None takes this process's own.
        seconds: wall time of each stage that ran.
        packages: other packages whose kinds the run uses, and their versions.
    """
    torch = sys.modules.get("torch")
    return Provenance(
        spec_file=str(spec_file or ""),
        spec_commit=spec_commit or commit_of_spec(spec_file),
        framework_commit=_commit_of_code(Path(__file__)),
        seed=seed,
        command=shlex.join(sys.argv if command is None else command),
        user=_user(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        python=platform.python_version(),
        platform=platform.platform(),
        versions={**package_versions(), "mlflow": version_of("mlflow") or ""},
        device=device or _device(torch),
        packages=dict(packages or {}),
        threads=None if torch is None else torch.get_num_threads(),
        seconds=dict(seconds or {}),
    )


def commit_of_spec(file: Path | None) -> Commit:
    """The commit that a spec stands at; None is a spec that was given from Python."""
    return Commit(reason="no spec file") if file is None else commit_of(file.resolve())


@cache
def _commit_of_code(file: Path) -> Commit:
    """Asked once a process: what was imported stays what it was, whatever is committed later."""
    found = commit_of(file)
    # An installed package may lie inside a repository it is no part of, as in a virtual environment.
    return found if found.is_tracked else Commit(reason="an installed package")


def tags_of(provenance: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a run, of what `Provenance.to_plain` gives.

    MLflow guesses source, commit and user from the running program, wrongly for a console script.
    """
    spec, framework = provenance.get("spec_commit", {}), provenance.get("framework_commit", {})
    versions = provenance.get("versions", {})
    tags = {
        "mlflow.source.name": provenance.get("spec_file"),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": spec.get("commit"),
        "mlflow.user": provenance.get("user"),
        "polylens.spec_commit": spec.get("commit"),
        "polylens.spec_dirty": _flag(spec.get("is_dirty")),
        "polylens.framework_commit": framework.get("commit"),
        "polylens.framework_dirty": _flag(framework.get("is_dirty")),
        "polylens.device": provenance.get("device"),
        "version.python": provenance.get("python"),
        **{f"version.{name}": versions.get(name) for name in _TAGGED},
        **{f"version.{name}": version for name, version in provenance.get("packages", {}).items()},
    }
    return {key: str(value) for key, value in tags.items() if value not in (None, "")}


def _flag(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return "unknown"


def _device(torch: Any) -> str:
    if torch is None or not torch.cuda.is_available():
        return "cpu"
    return str(torch.cuda.get_device_name())
