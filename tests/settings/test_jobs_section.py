"""What jobs ask for: `mlflow.yaml` under `jobs`, and `--job` over it."""

from __future__ import annotations

import pytest

from polylens.errors import SpecError, UsageError
from polylens.settings import load_settings
from polylens.settings.jobs import Jobs


def test_the_file_says_what_jobs_ask_for_and_the_command_line_wins(tmp_path):
    (tmp_path / "mlflow.yaml").write_text(
        "jobs:\n  partition: gpu\n  time: 02:00:00\n  gpus_per_node: 1\n  options: {reservation: workshop}\n"
    )
    jobs = load_settings(tmp_path, environ={}).jobs
    assert (jobs.partition, jobs.minutes, jobs.gpus_per_node) == ("gpu", 120, 1)
    asked = jobs.with_asked(["time=90", "mem=64G", "setup=[module load cuda]", "options.nice=100"])
    assert (asked.partition, asked.minutes, asked.mem, asked.setup) == (
        "gpu",
        90,
        "64G",
        ["module load cuda"],
    )
    assert asked.options == {"reservation": "workshop", "nice": 100}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("partitoin: gpu", "unknown key 'partitoin' in jobs"),
        ("time: soon", "jobs.time: string should match pattern"),
        ("at_once: 0", "jobs.at_once: input should be greater than or equal to 1"),
    ],
)
def test_a_mistake_in_the_file_is_shown_with_its_line(tmp_path, line, said):
    (tmp_path / "mlflow.yaml").write_text(f"jobs:\n  {line}\n")
    with pytest.raises(SpecError) as caught:
        load_settings(tmp_path, environ={})
    (problem,) = caught.value.problems
    assert said in problem.message
    assert problem.place is not None
    assert problem.place.line == 2


@pytest.mark.parametrize(
    "text", ["time", "partitoin=gpu", "mem=much", "gpus_per_node=one", "setup=[", "time=0"]
)
def test_a_mistake_on_the_command_line_names_the_flag(text):
    with pytest.raises(UsageError, match="--job"):
        Jobs().with_asked([text])
