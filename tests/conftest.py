"""Fixtures that tests of several rooms share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from tests.forking import OF_RUNNING, Forks, forks
from tests.shapes import check_shapes, unchecked

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

_ENGINES = ("bits", "clustering", "dataflow", "figures", "geometry", "statistics", "text")

# Before anything imports them: every call of an engine then holds its arrays against their annotated shapes.
# A function whose hints name a module that is only imported for typing stays unchecked.
check_shapes([f"polylens.{room}" for room in _ENGINES])

# No test may fail because the machine is busy.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_sessionstart() -> None:
    """What is freed is kept, as in a process of polylens' own."""
    from polylens.memory import keep_what_is_freed

    keep_what_is_freed()


def pytest_collection_finish() -> None:
    """What was imported is no longer searched for garbage: that was a tenth of a long process's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


_CHROMIUM = Path("/usr/bin/chromium")
_DRIVER = Path("/usr/bin/chromedriver")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
)


@pytest.fixture(scope="session")
def ready() -> Iterator[Forks]:
    """Starts programs in processes that have imported what a run imports: that takes each twelve seconds."""
    with forks(*OF_RUNNING) as started:
        yield started


@pytest.fixture
def unchecked_shapes() -> Iterator[None]:
    """The engines as users run them, for what they refuse themselves."""
    with unchecked():
        yield


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Debian's chromium, started once. Missing, it skips; with `CI=true` it fails."""
    if not (_CHROMIUM.exists() and _DRIVER.exists()):
        message = "chromium is missing: apt-get install chromium chromium-driver"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = str(_CHROMIUM)
    for flag in (
        *_FLAGS,
        "--window-size=1400,1000",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(flag)
    driver = Chrome(options=options, service=Service(str(_DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def browser(chromium: Chrome) -> Iterator[Chrome]:
    """A tab of desktop size, driven by selenium: what is emulated in one ends with it."""
    first = chromium.current_window_handle
    chromium.switch_to.new_window("tab")
    chromium.get_log("browser")  # type: ignore[no-untyped-call]
    yield chromium
    for handle in chromium.window_handles:
        if handle != first:
            chromium.switch_to.window(handle)
            chromium.close()
    chromium.switch_to.window(first)


SPEC = """\
about: A test.
claim: It works. Refuted if it does not.
seed: 0
model: digits-mlp
layer: hidden.3
dataset: digits
code: {kind: sign, units: own, positions: same}
controls: [random_init]
analyses:
  clusters: {kind: hdbscan, on: activation, min_cluster_size: 5}
  quality: {kind: cluster_quality, of: clusters}
labels:
  digits: {kind: class_enrichment, of: clusters}
"""


@pytest.fixture
def spec_text() -> str:
    """A small spec that validates against what polylens ships."""
    return SPEC


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory without a registry of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
