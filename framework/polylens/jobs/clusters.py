"""Where jobs are handed over: SLURM's queue, or processes of this machine, both by submitit."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from polylens.devices import Options
from polylens.errors import UsageError, nearest
from polylens.imports import submitit
from polylens.jobs.errand import Errand
from polylens.settings.jobs import Jobs

LAUNCHERS = ("slurm", "local")
"""Where `polylens run --launcher` hands runs over to."""

GONE = "GONE"
"""State of a job of which nobody knows anything."""
_WAITING = frozenset(
    {"READY", "PENDING", "RUNNING", "REQUEUED", "COMPLETING", "PREEMPTED", "CONFIGURING", "SUSPENDED"}
)
_SECONDS_BETWEEN_QUESTIONS = 10.0


class Cluster(ABC):
    """Somewhere that jobs run."""

    at_once: int | None
    """Jobs that are handed over before others have ended; None for all."""
    folder: Path
    """Where scripts, logs and results of the jobs lie."""

    @abstractmethod
    def hand_over(self, errands: Sequence[Errand], *, name: str) -> list[Any]:
        """submitit's job of each errand, handed over together."""

    @abstractmethod
    def job(self, number: str) -> Any:
        """The job of this number, handed over by an earlier command."""

    @abstractmethod
    def state(self, job: Any) -> str:
        """What becomes of the job, in SLURM's words; `GONE` where nobody knows it."""

    @abstractmethod
    def leave(self, jobs: Sequence[Any]) -> str:
        """What to say of these jobs when the command that waits for them is interrupted."""

    def is_going(self, job: Any) -> bool:
        """Whether the job waits or runs."""
        return not job.paths.result_pickle.exists() and self.state(job) in _WAITING


def cluster_of(launcher: str, *, folder: Path, jobs: Jobs, options: Options) -> Cluster:
    """Where a launcher hands jobs over.

    Args:
        launcher: one of `LAUNCHERS`.
        folder: where scripts, logs and results of jobs lie; all machines must see it.
        jobs: what they ask for.
        options: devices and machines of each.

    Raises:
        UsageError: no such launcher, submitit is not installed, or there is no SLURM here.
    """
    if launcher not in LAUNCHERS:
        near = nearest(launcher, LAUNCHERS)
        meant = "" if near is None else f"; did you mean '{near}'?"
        raise UsageError(f"no launcher '{launcher}'{meant}", hint=f"known: {', '.join(LAUNCHERS)}")
    try:
        submitit()
    except ImportError as error:
        raise UsageError(
            f"--launcher {launcher} needs submitit, which is not installed",
            hint="pip install 'polylens[slurm]'",
        ) from error
    if launcher == "local":
        if options.num_nodes > 1:
            raise UsageError("--launcher local has one machine", hint="leave --num-nodes out")
        return Here(folder, jobs)
    missing = [name for name in ("sbatch", "srun") if shutil.which(name) is None]
    if missing:
        raise UsageError(
            f"there is no SLURM here: {' and '.join(missing)} cannot be found",
            hint="give the command on a machine from which jobs are submitted; "
            "--launcher local tries the same on this one",
        )
    return Slurm(folder, jobs, options)


class Slurm(Cluster):
    """SLURM's queue. The children of one study become one array."""

    def __init__(self, folder: Path, jobs: Jobs, options: Options) -> None:
        self.at_once = None
        self.folder, self._jobs, self._options = folder, jobs, options
        self._queue = _Queue()

    def hand_over(self, errands: Sequence[Errand], *, name: str) -> list[Any]:
        """The jobs of an array, or the one job of one errand.

        Raises:
            UsageError: SLURM refuses them; says what it said.
        """
        library = submitit()
        executor = library.SlurmExecutor(self.folder, max_num_timeout=self._jobs.requeues)
        executor.update_parameters(job_name=f"polylens-{name}", **self._parameters())
        try:
            jobs: list[Any] = executor.submit_array(errands)
        except library.core.utils.FailedJobError as error:
            said = str(error).strip().splitlines()[-1]
            raise UsageError(
                f"SLURM refused the jobs of {name}: {said}",
                hint="what jobs ask for stands in mlflow.yaml under jobs, or in --job KEY=VALUE",
            ) from error
        return jobs

    def job(self, number: str) -> Any:
        """The job of this number, such as `1234_0`."""
        return submitit().SlurmJob(self.folder, number)

    def state(self, job: Any) -> str:
        """As `sacct` says; as `squeue` does where there is no accounting."""
        known = str(job.state).partition(" ")[0].rstrip("+")
        return self._queue.state(job.job_id) if known == "UNKNOWN" else known

    def leave(self, jobs: Sequence[Any]) -> str:
        """How to follow them, and how to end them."""
        numbers = ",".join(dict.fromkeys(job.job_id.partition("_")[0] for job in jobs))
        return (
            f"{len(jobs)} jobs stay in SLURM's queue and go on without this command\n"
            f"  follow them: the same command, squeue --jobs={numbers}, tail -f {jobs[0].paths.stderr}\n"
            f"  end them:    scancel {numbers.replace(',', ' ')}"
        )

    def _parameters(self) -> dict[str, Any]:
        asked, options = self._jobs, self._options
        words = ("partition", "account", "qos", "constraint", "mem", "cpus_per_task", "setup")
        given = {word: getattr(asked, word) for word in words if getattr(asked, word)}
        if asked.gpus_per_node:
            given["gpus_per_node"] = asked.gpus_per_node
        further: dict[str, str | int] = dict(asked.options)
        if options.num_nodes > 1:
            # The job is one process beside those that it starts by srun on all machines.
            further = {"nodes": options.num_nodes, "ntasks-per-node": options.devices, **further}
            given["srun_args"] = ["--nodes=1", "--ntasks=1", "--overlap"]
        return {
            **given,
            "time": asked.minutes,
            "array_parallelism": asked.at_once or 1_000,
            "wckey": None,  # submitit's own would be refused where such keys are checked
            "additional_parameters": further,
        }


class _Queue:
    """SLURM's queue as `squeue` lists it, asked now and then."""

    def __init__(self) -> None:
        self._states: Mapping[str, str] | None = None
        self._asked = float("-inf")
        self._missed: dict[str, int] = {}

    def state(self, number: str) -> str:
        """The state of a job; GONE when two lists in a row lacked it; PENDING where none can be had."""
        if time.monotonic() - self._asked > _SECONDS_BETWEEN_QUESTIONS:
            self._states, self._asked = _listed_states(), time.monotonic()
            for known in (number, *self._missed):
                is_missed = self._states is not None and known not in self._states
                self._missed[known] = self._missed.get(known, 0) + 1 if is_missed else 0
        if self._states is None:
            return "PENDING"
        self._missed.setdefault(number, 0)
        return self._states.get(number) or (GONE if self._missed[number] >= 2 else "PENDING")


def _listed_states() -> dict[str, str] | None:
    command = ["squeue", "--noheader", "--array", "--me", "--format=%i|%T"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return dict(line.strip().split("|", 1) for line in said.splitlines() if "|" in line)


class Here(Cluster):
    """Processes of this machine, one a job, a few at once. They end with the command that waits for them."""

    def __init__(self, folder: Path, jobs: Jobs) -> None:
        self.at_once = jobs.at_once or 1
        # A process' number comes again one day, and with it the names of files.
        self.folder, self._jobs = folder / f"local-{uuid.uuid4().hex[:8]}", jobs

    def hand_over(self, errands: Sequence[Errand], *, name: str) -> list[Any]:
        """A process for each errand."""
        executor = submitit().LocalExecutor(self.folder, max_num_timeout=self._jobs.requeues)
        setup = [line for line in self._jobs.setup if shlex.split(line, comments=True)]
        executor.update_parameters(
            timeout_min=self._jobs.minutes, gpus_per_node=self._jobs.gpus_per_node or _n_gpus(), setup=setup
        )
        return [executor.submit(errand) for errand in errands]

    def job(self, number: str) -> Any:
        """The job of this number; only the command that started it can follow it."""
        return submitit().LocalJob(self.folder, number)

    def state(self, job: Any) -> str:
        """RUNNING while its process is there."""
        return {"RUNNING": "RUNNING", "FINISHED": "FAILED"}.get(job.state, GONE)

    def leave(self, jobs: Iterable[Any]) -> str:
        """Ends them."""
        for job in jobs:
            job.cancel()
        return "the jobs were ended; what they finished stays"


def _n_gpus() -> int:
    import torch

    return torch.cuda.device_count()
