"""The parent's side of a harvest on several processes: starts them, shows how far they are, ends them."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

from polylens import errors
from polylens.errors import PolylensError, StageError, UsageError
from polylens.harvest.job import Job
from polylens.harvest.take import STAGE

_RANK_VARIABLES = (
    "LOCAL_RANK",
    "NODE_RANK",
    "GROUP_RANK",
    "RANK",
    "WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
)
"""Left by an earlier launch, they would make Lightning take the first worker for one of several."""

_SECONDS_BETWEEN_LOOKS = 0.2
_LINES_OF_STDERR = 15


def run_workers(job: Job, *, advance: Callable[[int], None]) -> None:
    """Runs a job on its processes and waits for them.

    Raises:
        PolylensError: what a worker raised, with its own message.
        StageError: a worker ended in any other way.
        UsageError: several machines are asked for outside of SLURM.
    """
    command = worker_command(job)
    # In the takes' folder, where other machines can read it too.
    job_file = next(iter(job.folders.values())) / "job.json"
    job_file.write_text(json.dumps(job.to_plain()), encoding="utf-8")
    with (
        tempfile.TemporaryFile() as stderr,
        _run_worker([*command, str(job_file)], job, stderr) as process,
    ):
        failure = _follow(process, advance)
        if failure is None and process.wait() == 0:
            return
        raise failure or _silent_failure(process.wait(), stderr)


def worker_command(job: Job) -> list[str]:
    """The command that starts the first worker, or under SLURM all of them.

    Raises:
        UsageError: several machines are asked for outside of a SLURM allocation.
    """
    worker = [sys.executable, "-m", "polylens.harvest.worker"]
    if job.options.num_nodes == 1:
        return worker
    if shutil.which("srun") is None or "SLURM_JOB_ID" not in os.environ:
        raise UsageError(
            f"{job.options.num_nodes} machines are asked for, and this is no SLURM allocation",
            hint="ask for them with salloc or sbatch, and start polylens once inside, without srun",
        )
    nodes, tasks = job.options.num_nodes, job.options.devices
    return ["srun", f"--nodes={nodes}", f"--ntasks-per-node={tasks}", "--kill-on-bad-exit=1", *worker]


@contextmanager
def _run_worker(command: list[str], job: Job, stderr: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A running worker in a process group of its own, which is gone when the block ends, however it ends."""
    environment = dict(os.environ)
    if job.options.num_nodes == 1:
        for name in _RANK_VARIABLES:
            environment.pop(name, None)
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        # Ctrl-C goes to this process alone, which then ends the group.
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _follow(process: subprocess.Popen[bytes], advance: Callable[[int], None]) -> PolylensError | None:
    """Passes on what the workers say until all have closed their output; gives the first error."""
    lines: queue.Queue[bytes | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=_SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            # Further processes may still hold the output open when the first has failed.
            if process.poll() not in (None, 0):
                return None
            continue
        if line is None:
            return None
        message = _message(line)
        if "advance" in message:
            advance(message["advance"])
        elif "error" in message:
            return _error(message)


def _message(line: bytes) -> Mapping[str, Any]:
    """What a line says; empty for lines that some library printed."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _error(message: Mapping[str, Any]) -> PolylensError:
    known = getattr(errors, message["error"], None) if message["error"] else None
    if known in (errors.UsageError, errors.DataError, errors.StoreError):
        error: PolylensError = known(message["message"], hint=message["hint"])
        return error
    return StageError(STAGE, f"a worker process failed: {message['message']}", hint=message["hint"])


def _silent_failure(code: int, stderr: IO[bytes]) -> StageError:
    stderr.seek(0)
    said = stderr.read().decode(errors="replace").strip().splitlines()[-_LINES_OF_STDERR:]
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    hint = "run the same command again: it goes on at the first missing shard"
    return StageError(STAGE, "\n  ".join([f"a worker process {how}", *said]), hint=hint)
