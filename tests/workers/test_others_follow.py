"""The first of several processes asks, the others do, and what they say arrives."""

from __future__ import annotations

import textwrap
import threading

import pytest
import torch

from polylens.devices import Options
from polylens.errors import DataError, StageError
from polylens.workers import outside, starting
from polylens.workers.outside import Leader, Place, follow
from polylens.workers.starting import Crew, run_workers

FIRST, SECOND = (Place(rank, 2, rank, 2, "localhost", 1) for rank in range(2))


@pytest.fixture
def others(monkeypatch):
    """A second process, as a thread of this one; its exit code is in the list when it has left."""
    store = torch.distributed.HashStore()
    monkeypatch.setattr(outside, "_meet", lambda place: store)
    monkeypatch.setattr(Leader, "_n", 0)
    monkeypatch.setattr(starting, "place_outside", lambda: FIRST)
    codes = []
    second = threading.Thread(target=lambda: codes.append(follow(SECOND)), daemon=True)
    second.start()
    yield codes
    Leader(FIRST).leave(3)
    second.join(timeout=30)
    assert codes == [3]


def crew(folder, monkeypatch, program):
    (folder / "part.py").write_text(textwrap.dedent(program))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return Crew("part", {"what": 1}, folder, "harvest", Options(devices=2))


def test_all_run_the_program_each_with_its_rank_and_both_are_heard(tmp_path, monkeypatch, others):
    made = crew(tmp_path, monkeypatch, """
        import json, os, sys
        print("a library's greeting")
        rank = int(os.environ["RANK"])
        print(json.dumps({"rank": rank, "port": os.environ["MASTER_PORT"], **json.load(open(sys.argv[1]))}))
    """)  # fmt: skip
    for _ in range(2):
        heard = []
        run_workers(made, hear=heard.append)
        assert sorted(message["rank"] for message in heard) == [0, 1]
        assert {message["what"] for message in heard} == {1}
        assert len({message["port"] for message in heard}) == 1


@pytest.mark.parametrize(
    ("failing", "kind", "said"),
    [
        ("sys.exit(3)", StageError, "a worker process ended with exit code 3"),
        ("""print('{"error": "DataError", "message": "broken", "hint": null}')""", DataError, "broken"),
    ],
)
def test_what_fails_in_another_process_fails_the_stage_and_ends_this_one(
    tmp_path, monkeypatch, others, failing, kind, said
):
    made = crew(tmp_path, monkeypatch, f"""
        import os, sys, time
        if os.environ["RANK"] == "1":
            {failing}
        else:
            time.sleep(600)
    """)  # fmt: skip
    with pytest.raises(kind, match=said):
        run_workers(made, hear=print)


def test_a_failure_here_ends_the_others(tmp_path, monkeypatch, others):
    made = crew(tmp_path, monkeypatch, """
        import os, sys, time
        if os.environ["RANK"] == "0":
            sys.exit(4)
        time.sleep(600)
    """)  # fmt: skip
    with pytest.raises(StageError, match="ended with exit code 4"):
        run_workers(made, hear=print)
