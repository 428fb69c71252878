"""A process ends with its exit code once all that waits for its end is done, and takes no module apart."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import atexit, sys, threading, time
from polylens import cli

class Slow:
    def __del__(self):
        print("taken apart")

atexit.register(lambda: print("registered"))
threading.Thread(target=lambda: (time.sleep(0.2), print("waited for"))).start()
sys.slow = Slow()
sys.argv = ["polylens", *sys.argv[1:]]
cli.program()
"""


@pytest.mark.parametrize(
    ("words", "code"), [(["--version"], 0), (["rnu"], 2), (["run", "no-such-spec.yaml"], 2)]
)
def test_what_waits_for_the_end_is_done_and_the_code_is_kept(words: list[str], code: int) -> None:
    command = [sys.executable, "-c", _PROGRAM, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    said = done.stdout.splitlines()
    assert said[-1] == "registered"
    assert said.count("waited for") == 1, "whichever of the command and the thread ends first"
    assert "taken apart" not in said


def test_a_reader_that_left_is_no_trouble() -> None:
    command = f"{sys.executable} -m polylens ls | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] in ("0", "1")
    assert done.stderr == ""
