"""Which of several processes this one is, as torchrun and srun tell it."""

from __future__ import annotations

import pytest

from polylens.devices import Options
from polylens.errors import UsageError
from polylens.workers.outside import Place, place_outside


def test_torchruns_variables_say_which_process_this_is(monkeypatch):
    words = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
    for name, value in {**words, "MASTER_ADDR": "first", "MASTER_PORT": "7"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert place_outside() is None, "left by some other program"
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "id")
    place = place_outside()
    assert place == Place(rank=5, count=8, local_rank=1, local_count=4, address="first", port=7)
    options = place.settled(Options())
    assert (options.devices, options.num_nodes, options.is_distributed) == (4, 2, True)
    environment = place.environment(99)
    assert (environment["GROUP_RANK"], environment["MASTER_PORT"]) == ("1", "99")
    with pytest.raises(UsageError, match="--devices 8 does not fit: 8 processes were started on 2 machine"):
        place.settled(Options(devices=8))


def test_sruns_variables_say_which_process_this_is_and_those_of_sbatch_do_not(monkeypatch):
    for name in ("TORCHELASTIC_RUN_ID", "SLURM_STEP_ID"):
        monkeypatch.delenv(name, raising=False)
    words = {"SLURM_JOB_ID": "12345", "SLURM_NTASKS": "4", "SLURM_PROCID": "3", "SLURM_LOCALID": "1"}
    words |= {"SLURM_STEP_NODELIST": "gpu[07-08]", "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": "2"}
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    assert place_outside() is None, "a script of sbatch is one process"
    monkeypatch.setenv("SLURM_STEP_ID", "0")
    place = place_outside()
    assert place is not None
    assert (place.rank, place.count, place.local_rank, place.local_count) == (3, 4, 1, 2)
    assert place.address == "gpu07"
    assert place.port == 15000 + 2345
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    assert place_outside() is None
