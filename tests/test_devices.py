from __future__ import annotations

import pytest
import torch

from polylens.devices import compute_on, fitting_device


@pytest.fixture(params=[False, True], ids=["no GPU", "a GPU"])
def has_gpu(request, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param)
    return request.param


def test_many_rows_go_to_a_gpu_that_is_there(has_gpu):
    assert fitting_device(100_000) == ("cuda" if has_gpu else "cpu")
    assert fitting_device(1_000) == "cpu"


def test_the_users_choice_holds_inside_and_no_longer(has_gpu):
    with compute_on("cpu"):
        assert fitting_device(100_000) == "cpu"
    with compute_on("gpu"):
        assert fitting_device(100_000) == ("cuda" if has_gpu else "cpu")
    assert fitting_device(100_000) == ("cuda" if has_gpu else "cpu")
