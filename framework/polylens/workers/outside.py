"""Processes that torchrun or srun started: the first is the command, and the others do what it asks for.

They meet in the key-value store that torch's own rendezvous opens. A piece of work is a program that each of
them runs; the group that these programs form is another one, which ends with them.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from polylens.devices import OUTSIDE_MARK, Options
from polylens.errors import UsageError
from polylens.imports import lightning
from polylens.workers.processes import last_words, run_process

_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_TO_LEAVE = 10.0


@dataclass(frozen=True)
class Place:
    """Which of the processes this one is."""

    rank: int
    count: int
    local_rank: int
    local_count: int
    address: str
    """Of the first process' machine."""
    port: int

    def settled(self, options: Options) -> Options:
        """The options with as many processes and machines as were started.

        Raises:
            UsageError: they ask for others.
        """
        nodes = self.count // self.local_count
        for flag, asked, there in (
            ("--devices", options.devices, self.local_count),
            ("--num-nodes", options.num_nodes, nodes),
        ):
            if asked not in (1, there):
                raise UsageError(
                    f"{flag} {asked} does not fit: {self.count} processes were started on {nodes} machine(s)",
                    hint=f"leave {flag} out under torchrun and srun: they say how many there are",
                )
        return replace(options, devices=self.local_count, num_nodes=nodes)

    def environment(self, port: int) -> dict[str, str]:
        """Variables by which a program of this process finds those of the others, in torchrun's words."""
        words = {
            "RANK": self.rank,
            "WORLD_SIZE": self.count,
            "LOCAL_RANK": self.local_rank,
            "LOCAL_WORLD_SIZE": self.local_count,
            "GROUP_RANK": self.rank // self.local_count,
            "MASTER_ADDR": self.address,
            "MASTER_PORT": port,
            OUTSIDE_MARK: os.environ.get(OUTSIDE_MARK, "polylens"),
        }
        kept = {name: value for name, value in os.environ.items() if name != "TORCHELASTIC_USE_AGENT_STORE"}
        return kept | {name: str(value) for name, value in words.items()}


def place_outside() -> Place | None:
    """This process' place among those that torchrun or srun started; None where it is the only one."""
    environ = os.environ
    if OUTSIDE_MARK in environ and int(environ.get("WORLD_SIZE", "1")) > 1:
        return Place(
            rank=int(environ["RANK"]),
            count=int(environ["WORLD_SIZE"]),
            local_rank=int(environ["LOCAL_RANK"]),
            local_count=int(environ["LOCAL_WORLD_SIZE"]),
            address=environ["MASTER_ADDR"],
            port=int(environ["MASTER_PORT"]),
        )
    if "SLURM_STEP_ID" not in environ or int(environ.get("SLURM_STEP_NUM_TASKS", "1")) < 2:
        return None
    nodes_in_words = environ.get("SLURM_STEP_NODELIST") or environ["SLURM_JOB_NODELIST"]
    count, nodes = int(environ["SLURM_STEP_NUM_TASKS"]), int(environ.get("SLURM_STEP_NUM_NODES", "1"))
    return Place(
        rank=int(environ["SLURM_PROCID"]),
        count=count,
        local_rank=int(environ["SLURM_LOCALID"]),
        local_count=count // nodes,
        address=lightning().plugins.environments.SLURMEnvironment.resolve_root_node_address(nodes_in_words),
        # Jobs that share a machine meet at ports of their own, by the last digits of their numbers.
        port=15000 + int(environ["SLURM_JOB_ID"][-4:]),
    )


@cache
def _meet(place: Place) -> Any:
    """torch's store of keys and values that all processes see."""
    from torch.distributed.rendezvous import rendezvous

    if "TORCHELASTIC_USE_AGENT_STORE" not in os.environ:  # of srun, which does not say where to meet
        os.environ.update(place.environment(place.port))
        del os.environ[OUTSIDE_MARK]
    store, _, _ = next(rendezvous("env://"))
    return store


@dataclass(frozen=True)
class Asked:
    """A command that the other processes run."""

    store: Any
    number: int
    n_others: int
    environment: Mapping[str, str]
    """For this process' own run of it."""
    _over: threading.Event = field(default_factory=threading.Event)

    def lines(self) -> Iterator[bytes]:
        """What the others say, until all have ended."""
        heard, ended = 0, 0
        while ended < self.n_others and not self._over.is_set():
            there = self.store.add(f"said/{self.number}", 0)
            for index in range(heard, there):
                line: bytes = self.store.get(f"said/{self.number}/{index}")
                ended += json.loads(line).get("ended", 0)
                yield line
            if heard == there:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
            heard = there

    def end(self) -> None:
        """Ends what is still running of it."""
        self._over.set()
        self.store.set(f"over/{self.number}", "1")


class Leader:
    """The first process: asks the others for each piece of work, and hears what they say."""

    _n = 0

    def __init__(self, place: Place) -> None:
        self.place = place
        self._store = _meet(place)

    def ask(self, command: list[str]) -> Asked:
        """Asks all others to run a command, and says how this process' own has to run."""
        number, port = Leader._n, _free_port()
        Leader._n += 1
        self._store.set(f"task/{number}", json.dumps({"command": command, "port": port}))
        return Asked(self._store, number, self.place.count - 1, self.place.environment(port))

    def leave(self, code: int) -> None:
        """Lets the others end with this exit code, and waits for them a while: they may need this process."""
        self._store.set(f"task/{Leader._n}", json.dumps({"end": code}))
        deadline = time.monotonic() + _SECONDS_TO_LEAVE
        while self._store.add("left", 0) < self.place.count - 1 and time.monotonic() < deadline:
            time.sleep(_SECONDS_BETWEEN_LOOKS)


def follow(place: Place) -> int:
    """Does what the first process asks for until it says how to end; gives the exit code. Prints nothing."""
    store = _meet(place)
    number = 0
    while True:
        task = _awaited(store, f"task/{number}")
        if "end" in task:
            store.add("left", 1)
            return int(task["end"])
        _follow_one(store, number, task, place)
        number += 1


def _awaited(store: Any, key: str) -> Mapping[str, Any]:
    while not store.check([key]):
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    task: Mapping[str, Any] = json.loads(store.get(key))
    return task


def _follow_one(store: Any, number: int, task: Mapping[str, Any], place: Place) -> None:
    """Runs one command, and passes on what it says."""

    def say(line: bytes) -> None:
        index = store.add(f"said/{number}", 1) - 1
        store.set(f"said/{number}/{index}", line)

    def pass_on(process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(b"{"):
                say(line)

    environment = place.environment(task["port"])
    with tempfile.TemporaryFile() as stderr, run_process(task["command"], environment, stderr) as process:
        reader = threading.Thread(target=pass_on, args=[process], daemon=True)
        reader.start()
        while process.poll() is None and not store.check([f"over/{number}"]):
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        is_over = process.poll() is None
        if not is_over:
            reader.join()
        if not is_over and process.returncode != 0:
            words = "\n  ".join(last_words(process.returncode, stderr))
            say(
                json.dumps(
                    {"error": "", "message": f"on {socket.gethostname()}: {words}", "hint": None}
                ).encode()
            )
    say(json.dumps({"ended": 1}).encode())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("", 0))
        return int(free.getsockname()[1])
