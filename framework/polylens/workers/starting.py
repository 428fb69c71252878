"""The parent's side of work on several processes: starts them, hears how far they are, ends them."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from polylens import errors
from polylens.devices import OUTSIDE_MARK, Options
from polylens.errors import PolylensError, StageError, UsageError
from polylens.workers.outside import Leader, place_outside
from polylens.workers.processes import last_words, run_process

_RANK_VARIABLES = (
    "LOCAL_RANK",
    "NODE_RANK",
    "GROUP_RANK",
    "RANK",
    "WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
    OUTSIDE_MARK,
)
"""Left by an earlier launch, they would make Lightning take the first worker for one of several."""

_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Crew:
    """What several processes do together."""

    module: str
    """The program that each of them runs, such as `polylens.harvest.worker`."""
    plain: Mapping[str, Any]
    """What they have to do, as plain data."""
    folder: Path
    """Where they are told, which every machine must see."""
    stage: str
    """Name of the stage, for errors."""
    options: Options


def run_workers(crew: Crew, *, hear: Callable[[Mapping[str, Any]], None]) -> None:
    """Runs a program on its processes and waits for them.

    Args:
        crew: what they do.
        hear: is told every message of theirs that is no error.

    Raises:
        PolylensError: what a worker raised, with its own message.
        StageError: a worker ended in any other way.
        UsageError: several machines are asked for outside of SLURM.
    """
    job_file = crew.folder / "job.json"
    job_file.write_text(json.dumps(crew.plain), encoding="utf-8")
    with ExitStack() as ends:
        stderr = ends.enter_context(tempfile.TemporaryFile())
        environment: Mapping[str, str]
        others: Iterable[bytes] = ()
        place = place_outside()
        if place is None:
            command = [*worker_command(crew), str(job_file)]
            environment = _environment(crew.options)
        else:
            command = [sys.executable, "-m", crew.module, str(job_file)]
            asked = Leader(place).ask(command)
            ends.callback(asked.end)
            environment, others = asked.environment, asked.lines()
        process = ends.enter_context(run_process(command, environment, stderr))
        failure = _follow(process, others, hear, stage=crew.stage)
        if failure is None and process.wait() == 0:
            return
        raise failure or _silent_failure(process.wait(), stderr, stage=crew.stage)


def worker_command(crew: Crew) -> list[str]:
    """The command that starts the first worker, or under SLURM all of them.

    Raises:
        UsageError: several machines are asked for outside of a SLURM allocation.
    """
    worker = [sys.executable, "-m", crew.module]
    nodes, tasks = crew.options.num_nodes, crew.options.devices
    if nodes == 1:
        return worker
    if shutil.which("srun") is None or "SLURM_JOB_ID" not in os.environ:
        raise UsageError(
            f"{nodes} machines are asked for, and this is no SLURM allocation",
            hint="--launcher slurm asks for them; so do salloc and sbatch, with polylens started once inside",
        )
    return ["srun", f"--nodes={nodes}", f"--ntasks-per-node={tasks}", "--kill-on-bad-exit=1", *worker]


def _environment(options: Options) -> dict[str, str]:
    environment = dict(os.environ)
    if options.num_nodes == 1:
        for name in _RANK_VARIABLES:
            environment.pop(name, None)
    return environment


def _follow(
    process: subprocess.Popen[bytes],
    others: Iterable[bytes],
    hear: Callable[[Mapping[str, Any]], None],
    *,
    stage: str,
) -> PolylensError | None:
    """Passes on what the workers say until all have closed their output; gives the first error."""
    assert process.stdout is not None
    lines: queue.Queue[bytes | None] = queue.Queue()
    sources = (process.stdout, others)

    def read(source: Iterable[bytes]) -> None:
        for line in source:
            lines.put(line)
        lines.put(None)

    for source in sources:
        threading.Thread(target=read, args=[source], daemon=True).start()
    n_open = len(sources)
    while n_open:
        try:
            line = lines.get(timeout=_SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            # Further processes may still hold the output open when the first has failed.
            if process.poll() not in (None, 0):
                return None
            continue
        if line is None:
            n_open -= 1
            continue
        message = _message(line)
        if "error" in message:
            return _error(message, stage=stage)
        if message and "ended" not in message:
            hear(message)
    return None


def _message(line: bytes) -> Mapping[str, Any]:
    """What a line says; empty for lines that some library printed."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _error(message: Mapping[str, Any], *, stage: str) -> PolylensError:
    known = getattr(errors, message["error"], None) if message["error"] else None
    if known in (errors.UsageError, errors.DataError, errors.StoreError):
        error: PolylensError = known(message["message"], hint=message["hint"])
        return error
    return StageError(stage, f"a worker process failed: {message['message']}", hint=message["hint"])


def _silent_failure(code: int, stderr: IO[bytes], *, stage: str) -> StageError:
    hint = "run the same command again: it goes on from what is finished"
    return StageError(stage, "\n  ".join(last_words(code, stderr)), hint=hint)
