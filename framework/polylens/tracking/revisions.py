"""Revisions of MLflow's database: which one the installed MLflow writes, and what to do about any other."""

from __future__ import annotations

import shlex
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from polylens.tracking.faults import RefusedError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory


def is_current(revision: str | None) -> bool:
    """Whether this is the revision that the installed MLflow writes."""
    return revision in _scripts().get_heads()


@cache
def is_older(revision: str) -> bool:
    """Whether the installed MLflow knows the revision and has gone on since."""
    known = {script.revision for script in _scripts().walk_revisions()}
    return revision in known and not is_current(revision)


def refusal(revision: str | None, *, what: str, address: str, backup: str) -> RefusedError:
    """Why a database of another MLflow cannot be used, and what mends it: an upgrade of it, or of MLflow.

    Args:
        revision: what stands in the database; None where its making or an upgrade was cut short.
        what: the database in words, with which the sentence starts.
        address: its address without a password.
        backup: how to keep a copy of it.
    """
    installed = version("mlflow")
    if revision is None:
        return RefusedError(
            f"the making or an upgrade of {what} was cut short, and it is not empty; it is left as it is",
            hint="put back the copy that was made before the upgrade, or give runs another database",
        )
    if is_older(revision):
        upgrade = shlex.join([sys.executable, "-m", "mlflow", "db", "upgrade", address])
        return RefusedError(
            f"{what} was made by an older MLflow than {installed}",
            hint=f"{backup}, then upgrade the database: {upgrade}",
        )
    return RefusedError(
        f"{what} was made by a newer MLflow than the installed {installed}, which does not know {revision}",
        hint="upgrade MLflow (pip install --upgrade mlflow); a database cannot be taken back to an older one",
    )


@cache
def _scripts() -> ScriptDirectory:
    """The migrations that the installed MLflow brings."""
    import mlflow
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(Path(mlflow.__file__).parent / "store" / "db_migrations"))
