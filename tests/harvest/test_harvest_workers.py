"""A harvest on several processes: the rows of one, errors that are shown, and no process left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.slurm_stand_in import install

from polylens.assembly import Recipe, assemble, open_examples
from polylens.codes.sign import Sign
from polylens.datasets.digits import Digits
from polylens.devices import Options
from polylens.errors import DataError, StageError, UsageError
from polylens.harvest import Take, harvest, load_rows
from polylens.harvest.collecting import Collector
from polylens.harvest.harvesting import WORKER
from polylens.harvest.job import Job
from polylens.harvest.shard import Shard
from polylens.models.cnn import Cnn
from polylens.sampling.random_positions import RandomPositions
from polylens.store import Store
from polylens.streams import Streams
from polylens.workers import starting
from polylens.workers.starting import Crew

TWO_PROCESSES = Options(accelerator="cpu", devices=2, strategy="ddp")
RECIPE = Recipe(Cnn(image_size=8, channels=(4, 8), classes=10), Digits(), seed=0)


def takes(layers):
    positions = RandomPositions(count=2)
    return [
        Take("rows", layers[0], "activations", positions),
        Take("code", layers[0], "codes", positions, Sign(units="own", positions="same")),
        Take("whole", "input", "codes", None, Sign(units="downstream", positions="all"), whole=True),
    ]


def run(root, *, options, recipe=RECIPE, **more):
    store = Store(root)
    examples = open_examples(recipe, root=root)
    network = assemble(recipe, examples, store=store, root=root)
    layer = next(name for name, part in network.module.named_modules() if type(part).__name__ == "ReLU")
    harvest(
        network,
        examples,
        takes([layer]),
        recipe=recipe,
        root=root,
        streams=Streams(recipe.seed),
        store=store,
        options=options,
        **more,
    )
    return store


@pytest.mark.slow
def test_two_processes_give_the_rows_of_one_and_leave_this_process_as_it_was(tmp_path, capfd):
    two = run(tmp_path / "two", options=TWO_PROCESSES)
    assert "LOCAL_RANK" not in os.environ
    one = run(tmp_path / "one", options=Options(accelerator="cpu", batch_size=100))
    for part in ({"activations": "rows"}, {"codes": "code"}, {"codes": "whole"}):
        rows, expected = load_rows(two, **part), load_rows(one, **part)
        assert rows.origins.example_ids == expected.origins.example_ids
        np.testing.assert_array_equal(rows.origins.example, expected.origins.example)
        np.testing.assert_array_equal(rows.origins.position, expected.origins.position)
        np.testing.assert_array_equal(rows.targets, expected.targets)
        if rows.codes is None:
            np.testing.assert_allclose(rows.activations, expected.activations, atol=1e-6)
        else:
            np.testing.assert_array_equal(rows.codes.packed, expected.codes.packed)
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


@pytest.mark.slow
def test_two_machines_of_a_slurm_allocation_give_the_rows_of_one(tmp_path, monkeypatch):
    binaries = install(tmp_path / "slurm")
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    with socket.socket() as free:
        # Lightning's processes meet at 15000 and the last four digits of the job's number.
        number = next(n for n in range(1000, 9999) if free.connect_ex(("127.0.0.1", 15000 + n)) != 0)
    monkeypatch.setenv("SLURM_JOB_ID", str(number))
    two = run(tmp_path / "two", options=Options(accelerator="cpu", num_nodes=2))
    one = run(tmp_path / "one", options=Options(accelerator="cpu"))
    rows, expected = load_rows(two, codes="code"), load_rows(one, codes="code")
    np.testing.assert_array_equal(rows.codes.packed, expected.codes.packed)
    np.testing.assert_array_equal(rows.origins.position, expected.origins.position)


def job(tmp_path, **changes):
    made = Job(
        recipe=RECIPE,
        takes=tuple(takes(["hidden"])),
        missing={"rows": frozenset({Shard(0, 256), Shard(256, 300)})},
        folders={"rows": tmp_path},
        streams=Streams(3, ("a", "b")),
        store=tmp_path,
        root=tmp_path,
        options=TWO_PROCESSES,
    )
    return replace(made, **changes)


def test_a_process_without_a_shard_of_its_own_is_none_of_lightnings_mistakes():
    collector = Collector(torch.nn.Linear(1, 1), (), loader=lambda rank, count: [])
    assert collector.allow_zero_length_dataloader_with_multiple_devices


def crew(tmp_path, made=None, options=TWO_PROCESSES):
    plain = {} if made is None else made.to_plain()
    return Crew(WORKER, plain, tmp_path, "harvest", options)


def test_a_job_comes_back_from_plain_data(tmp_path):
    assert Job.from_plain(job(tmp_path).to_plain()) == job(tmp_path)


@pytest.mark.slow
def test_a_workers_error_arrives_with_its_own_message(tmp_path):
    made = job(tmp_path, recipe=replace(RECIPE, training="never"))
    with pytest.raises(Exception, match="holds no training never") as caught:
        starting.run_workers(crew(tmp_path, made), hear=print)
    assert type(caught.value).__name__ == "StoreError"


def stand_in(tmp_path, monkeypatch, program):
    """A small program in the place of the worker."""
    path = tmp_path / "worker.py"
    path.write_text(textwrap.dedent(program))
    monkeypatch.setattr(starting, "worker_command", lambda crew: [sys.executable, str(path)])


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def eventually(condition):
    for _ in range(300):
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_what_the_workers_have_done_adds_up_and_other_lines_are_passed_over(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, """
        print("some library's greeting")
        print('{"advance": 256}')
        print("3")
        print('{"advance": 44}')
    """)  # fmt: skip
    done = []
    starting.run_workers(crew(tmp_path), hear=done.append)
    assert done == [{"advance": 256}, {"advance": 44}]


def test_a_data_error_of_a_worker_is_a_data_error_here(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, """
        import time
        print('{"error": "DataError", "message": "broken", "hint": "mend it"}', flush=True)
        time.sleep(600)
    """)  # fmt: skip
    with pytest.raises(DataError, match="broken\n  mend it"):
        starting.run_workers(crew(tmp_path), hear=print)


def test_any_other_error_of_a_worker_fails_the_stage(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, """
        print('{"error": "", "message": "ValueError: odd", "hint": null}', flush=True)
    """)  # fmt: skip
    with pytest.raises(StageError, match="a worker process failed: ValueError: odd"):
        starting.run_workers(crew(tmp_path), hear=print)


def test_a_worker_that_ends_without_a_word_is_shown_with_its_last_lines(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, """
        import sys
        print("out of cheese", file=sys.stderr)
        sys.exit(3)
    """)  # fmt: skip
    with pytest.raises(StageError, match="ended with exit code 3\n  out of cheese"):
        starting.run_workers(crew(tmp_path), hear=print)


def test_a_killed_worker_takes_its_children_along(tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch, f"""
        import os, signal, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
        os.kill(os.getpid(), signal.SIGKILL)
    """)  # fmt: skip
    with pytest.raises(StageError, match="was killed by signal 9"):
        starting.run_workers(crew(tmp_path), hear=print)
    child = int((tmp_path / "child").read_text())
    assert eventually(lambda: not is_running(child))


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path, ending):
    (tmp_path / "worker.py").write_text(
        textwrap.dedent("""
            import os
            from pathlib import Path
            from polylens.workers.telling import end_with_parent
            Path("pid.new").write_text(str(os.getpid()))
            Path("pid.new").rename("pid")
            end_with_parent()
        """)
    )
    (tmp_path / "job.py").write_text(
        textwrap.dedent("""
            import signal, sys
            signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
            from pathlib import Path
            from polylens.devices import Options
            from polylens.workers import starting
            starting.worker_command = lambda crew: [sys.executable, "worker.py"]
            starting.run_workers(starting.Crew("", {}, Path(), "harvest", Options(devices=2)), hear=print)
        """)
    )
    process = subprocess.Popen([sys.executable, "job.py"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    assert eventually((tmp_path / "pid").exists)
    worker = int((tmp_path / "pid").read_text())
    assert is_running(worker)
    process.send_signal(ending)
    process.wait(timeout=300)
    assert eventually(lambda: not is_running(worker))


def test_several_machines_need_slurm(tmp_path, monkeypatch):
    options = replace(TWO_PROCESSES, num_nodes=3)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(UsageError, match="3 machines are asked for") as caught:
        starting.worker_command(crew(tmp_path, options=options))
    assert "sbatch" in str(caught.value)
    (tmp_path / "srun").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    command = starting.worker_command(crew(tmp_path, options=options))
    assert command[:3] == ["srun", "--nodes=3", "--ntasks-per-node=2"]
    assert command[-2:] == ["-m", "polylens.harvest.worker"]


def test_ranks_left_in_the_environment_do_not_reach_the_workers(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    stand_in(tmp_path, monkeypatch, """
        import os
        print('{"advance": %d}' % sum(name in os.environ for name in ("LOCAL_RANK", "WORLD_SIZE")))
    """)  # fmt: skip
    done = []
    starting.run_workers(crew(tmp_path), hear=done.append)
    assert done == [{"advance": 0}]
