"""Programs in processes of their own, forked from one that has imported what takes long, which takes seconds.

To a program it is as if Python had been started for it: paths and environment are those it is given, what was
imported has been asked for nothing yet, and it ends as any process does, with its own exit code.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from polylens.leaving import leave_with

OF_VALIDATING = ("polylens.spec", *(f"polylens.cli.{verb}" for verb in ("describe", "ls", "new", "validate")))
"""What verbs import that compute nothing."""
OF_RUNNING = (*OF_VALIDATING, "polylens.study.walk", "polylens.study.pages", "tests.of_running")
"""What a run imports."""

_POLYLENS = "from polylens.cli import program\nprogram()"
_MODULE = """
import os, runpy, sys
sys.path[0] = os.getcwd()
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
_PATIENCE_SECONDS = 300
"""What never ends must fail its test rather than hang it."""
REPOSITORY = Path(__file__).parents[1]


class Forks:
    """Starts programs beside packages that are imported already."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self._server = server
        self._folder = folder

    def call(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        anew: Sequence[str] = (),
        patience: int = _PATIENCE_SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """What `python -c PROGRAM ARGUMENTS` does in this environment and folder.

        Args:
            program: Python.
            arguments: of the program.
            environment: all variables; this process's own unless they are given.
            folder: where it works; this process's own unless it is given.
            anew: packages that it shall import itself.
            patience: seconds after which it is ended.
        """
        asked = {
            "program": program,
            "arguments": arguments,
            "environment": dict(os.environ if environment is None else environment),
            "folder": str(folder or Path.cwd()),
            "said": str(self._folder),
            "anew": ["tests", *anew],
            "patience": patience,
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(f"{json.dumps(asked)}\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        out, err = ((self._folder / name).read_text(encoding="utf-8") for name in ("out", "err"))
        return subprocess.CompletedProcess([program, *arguments], code, out, err)

    def module(self, name: str, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """What `python -m NAME ARGUMENTS` does there."""
        return self.call(_MODULE, name, *arguments, **how)

    def polylens(self, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """What `python -m polylens ARGUMENTS` does there."""
        return self.call(_POLYLENS, *arguments, **how)


@contextmanager
def forks(*modules: str) -> Iterator[Forks]:
    """Programs in the block are forked from a process that has imported these modules and what they need."""
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-c", "from tests.forking import serve; serve()", *modules],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server,
    ):
        yield Forks(server, Path(folder))


def serve() -> None:
    """Imports the modules that are named behind the program; then answers each line with an exit code.

    Returns neither in the children, whose program is the last thing that they do, nor at the end.
    """
    for name in sys.argv[1:]:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    leave_with(0)


def _become(
    program: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    said: str,
    anew: Sequence[str],
    patience: int,
) -> None:
    """Makes this process one that was started for a program, and runs it."""
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(Path(said) / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.alarm(patience)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[1:1] = [each for each in paths if each not in sys.path]
    sys.argv = ["-c", *arguments]
    for name in [name for name in sys.modules if name.partition(".")[0] in anew]:
        del sys.modules[name]
    importlib.invalidate_caches()
    main: Any = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    try:
        exec(compile(program, "<string>", "exec"), main.__dict__)
    except SystemExit as end:
        if isinstance(end.code, str):
            raise
        leave_with(end.code or 0)
    # Python's own end would take seconds to take apart what was imported.
    leave_with(0)
