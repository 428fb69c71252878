"""A stand-in for SLURM's commands that really starts the scripts that it is given, on this machine.

`install` puts `sbatch`, `srun`, `sacct`, `squeue`, `scancel` and `scontrol` into a folder for PATH. Jobs run
at once, as many of an array side by side as it says. What SLURM itself would do to a job is asked for by
files in the folder `asked`: `preempt` signals the first job once, as soon as there are so many files of a
pattern as it says; `hold` leaves jobs in the queue; `die` holds the state that jobs end in, never started.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

COMMANDS = ("sbatch", "srun", "sacct", "squeue", "scancel", "scontrol")
_LOOK_SECONDS = 0.02


def install(folder: Path, *, without: tuple[str, ...] = ()) -> Path:
    """Writes the commands; gives the folder that PATH must begin with."""
    binaries = folder / "bin"
    for part in (binaries, folder / "asked", folder / "jobs"):
        part.mkdir(parents=True, exist_ok=True)
    for name in set(COMMANDS) - set(without):
        file = binaries / name
        file.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" {name} "$@"\n')
        file.chmod(0o755)
    return binaries


def submissions(folder: Path) -> list[str]:
    """The scripts that were handed over, in order."""
    return [path.read_text() for path in sorted(folder.glob("script-*.sh"))]


class _Jobs:
    """States of jobs, a file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, number: str, **facts: object) -> None:
        file = self.folder / "jobs" / f"{number}.json"
        beside = file.with_suffix(f".{os.getpid()}.new")
        beside.write_text(json.dumps({**self.get(number), **facts}))
        beside.replace(file)

    def get(self, number: str) -> dict[str, object]:
        file = self.folder / "jobs" / f"{number}.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def all(self) -> dict[str, dict[str, object]]:
        return {
            file.stem: json.loads(file.read_text()) for file in sorted((self.folder / "jobs").glob("*.json"))
        }


def _sbatch(folder: Path, arguments: list[str]) -> int:
    script = Path(arguments[-1])
    number = str(100 + len(submissions(folder)))
    kept = folder / f"script-{number}.sh"
    kept.write_text(script.read_text())
    array = re.search(r"#SBATCH --array='?0-(\d+)%(\d+)", kept.read_text())
    tasks = [f"{number}_{task}" for task in range(int(array[1]) + 1)] if array else [number]
    for task in tasks:
        _Jobs(folder).put(task, state="PENDING")
    at_once = array[2] if array else "1"
    subprocess.Popen(
        [sys.executable, __file__, str(folder), "queue", str(kept), at_once, *tasks],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    print(f"Submitted batch job {number}")
    return 0


def _queue(folder: Path, arguments: list[str]) -> int:
    script, at_once, *tasks = arguments
    if (folder / "asked" / "hold").exists():
        return 0
    with ThreadPoolExecutor(int(at_once)) as pool:
        list(pool.map(lambda task: _do(folder, script, task), tasks))
    return 0


def _do(folder: Path, script: str, task: str) -> None:
    """One job: again as long as it was put back into the queue."""
    jobs, die = _Jobs(folder), folder / "asked" / "die"
    if die.exists():
        log = _named(script, "error", task)
        log.write_text("Starting\nslurmstepd: error: Detected 1 oom_kill event\n")
        jobs.put(task, state=die.read_text().strip())
        return
    number, _, index = task.partition("_")
    environment = {**os.environ, "SLURM_JOB_ID": number, "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1"}
    if index:
        environment |= {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": index}
    environment["STAND_IN_JOB"] = task
    while True:
        with _named(script, "output", task).open("a") as out:
            process = subprocess.Popen(
                ["bash", script], env=environment, stdout=out, stderr=out, start_new_session=True
            )
            jobs.put(task, state="RUNNING", group=process.pid, requeued=False)
            _watch(folder, task, process)
        if not jobs.get(task)["requeued"]:
            break
    if jobs.get(task)["state"] == "RUNNING":
        jobs.put(task, state="COMPLETED" if process.returncode == 0 else "FAILED")


def _watch(folder: Path, task: str, process: subprocess.Popen[bytes]) -> None:
    """Waits for a job's end; where asked, signals it as SLURM does before it takes its machine away."""
    preempt = folder / "asked" / "preempt"
    while process.poll() is None:
        if task.endswith("_0") and preempt.exists():
            root, pattern, count = preempt.read_text().splitlines()
            if len([*Path(root).glob(pattern)]) >= int(count):
                preempt.unlink()
                for number in (signal.SIGTERM, signal.SIGUSR2):
                    os.kill(int(str(_Jobs(folder).get(task)["step"])), number)
        time.sleep(_LOOK_SECONDS)


def _named(script: str, option: str, task: str) -> Path:
    found = re.search(rf"#SBATCH --{option}=(\S+)", Path(script).read_text())
    assert found is not None
    number, _, index = task.partition("_")
    text = (
        found[1].strip("'").replace("%A", number).replace("%a", index).replace("%j", task).replace("%t", "0")
    )
    return Path(text)


def _srun(folder: Path, arguments: list[str]) -> int:
    command, options = list(arguments), {"--nodes": "1", "--ntasks-per-node": "1"}
    while command[0].startswith("--"):
        name, equals, value = command.pop(0).partition("=")
        options[name] = value if equals or name not in ("--output", "--error") else command.pop(0)
    nodes, tasks = int(options["--nodes"]), int(options["--ntasks-per-node"])
    if nodes * tasks > 1:
        return _start_tasks(command, nodes, tasks)
    job = os.environ["STAND_IN_JOB"]
    number, _, index = job.partition("_")
    words = {"%A": number, "%a": index, "%j": number, "%t": "0"}
    for option, descriptor in (("--output", 1), ("--error", 2)):
        file = re.sub("%.", lambda word: words[word[0]], options[option])
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    _Jobs(folder).put(job, step=os.getpid())
    os.environ.update(SLURM_PROCID="0", SLURM_LOCALID="0", SLURM_NODEID="0")
    return os.execvp(command[0], command)


def _start_tasks(command: list[str], nodes: int, tasks: int) -> int:
    """All tasks of a step, as if they were on machines of their own that all are called localhost."""
    shared = {
        "SLURM_NODELIST": "localhost",
        "SLURM_NNODES": str(nodes),
        "SLURM_NTASKS": str(nodes * tasks),
        "SLURM_NTASKS_PER_NODE": str(tasks),
        "SLURM_STEP_ID": "0",
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_STEP_NUM_NODES": str(nodes),
        "SLURM_STEP_NUM_TASKS": str(nodes * tasks),
    }
    ranks = [(node, task) for node in range(nodes) for task in range(tasks)]
    started = []
    for rank, (node, task) in enumerate(ranks):
        own = {"SLURM_PROCID": str(rank), "SLURM_NODEID": str(node), "SLURM_LOCALID": str(task)}
        started.append(subprocess.Popen(command, env={**os.environ, **shared, **own}))
    return max(abs(process.wait()) for process in started)


def _sacct(folder: Path, arguments: list[str]) -> int:
    print("JobID|State|NodeList")
    for number, facts in _Jobs(folder).all().items():
        print(f"{number}|{facts['state']}|here")
    return 0


def _squeue(folder: Path, arguments: list[str]) -> int:
    for number, facts in _Jobs(folder).all().items():
        if facts["state"] in ("PENDING", "RUNNING"):
            print(f"{number}|{facts['state']}")
    return 0


def _scancel(folder: Path, arguments: list[str]) -> int:
    jobs = _Jobs(folder)
    for number, facts in jobs.all().items():
        if number.partition("_")[0] in arguments or number in arguments:
            jobs.put(number, state="CANCELLED by 0")
            if "group" in facts:
                os.killpg(int(str(facts["group"])), signal.SIGKILL)
    return 0


def _scontrol(folder: Path, arguments: list[str]) -> int:
    assert arguments[0] == "requeue"
    _Jobs(folder).put(arguments[1], requeued=True)
    return 0


if __name__ == "__main__":
    _, place, name, *rest = sys.argv
    sys.exit({**{each: globals()[f"_{each}"] for each in COMMANDS}, "queue": _queue}[name](Path(place), rest))
