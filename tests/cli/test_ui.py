"""`polylens ui`: MLflow's own page, started, looked at in a browser, and stopped."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from click.testing import CliRunner

from polylens.cli.ui import command, server_command
from polylens.errors import UsageError
from polylens.records import Figure, Number
from polylens.settings import Settings, load_settings
from polylens.tracking import Input, TrackedRun, Tracker

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

DIGEST = "1" * 32


def project(folder: Path, text: str = "") -> Settings:
    (folder / "mlflow.yaml").write_text(text)
    return load_settings(folder, environ={})


def picture() -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (640, 360), "white")
    draw = ImageDraw.Draw(image)
    for index, height in enumerate((300, 220, 130, 60)):
        draw.rectangle((60 + index * 140, 340 - height, 160 + index * 140, 340), fill=(70, 110, 170))
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()


def logged_run(settings: Settings) -> TrackedRun:
    tracker = Tracker(settings)
    tracker.prepare("digits")
    run = tracker.open_run(
        experiment="digits",
        name="mlp-clusters",
        digest=DIGEST,
        tags={"mlflow.note.content": "Clusters of **digits**.", "polylens.names_polytopes": "true"},
    )
    run.log_spec(written="seed: 0\n", resolved="seed: 0\n")
    run.log_params({"seed": 0, "model": {"kind": "mlp", "hidden": [64, 64]}})
    run.log_numbers({"quality/purity": Number(0.91, low=0.88, high=0.94, chance=0.21)})
    run.log_inputs(datasets=[Input("digits", "d" * 32, {"kind": "digits"}, {"examples": 1797})])
    run.log_table("clusters", pd.DataFrame({"cluster": [0, 1], "label": ["mostly-threes", "mostly-eights"]}))
    run.log_figure(Figure(name="cluster-sizes", title="Sizes", caption="MLP, layer 3", png=picture()))
    run.log_report("<!doctype html><title>Report</title><h1>Polytopes of digits</h1><p>Twelve clusters.</p>")
    run.finish()
    return run


@contextmanager
def page(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`polylens ui` as a user starts it; gives the process and what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from polylens.cli.ui import command; command()", *arguments],
        cwd=folder,
        env={**os.environ, "MLFLOW_TRACKING_URI": "", "POLYLENS_STORE": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # A page that never comes up must fail the test rather than hang it.
    watchdog = threading.Timer(150, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                yield process, "".join(said)
                return
        pytest.fail("polylens ui said no address:\n" + "".join(said))
    finally:
        watchdog.cancel()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def address_in(said: str) -> str:
    found = re.search(r"^MLflow shows .* at (http://\S+)$", said, re.MULTILINE)
    assert found, said
    return found[1]


def get(address: str, *, host: str | None = None) -> tuple[int, bytes]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(address, headers={"Host": host} if host else {})
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: object, what: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.2)
    pytest.fail(f"not within a minute: {what}")


def test_the_server_gets_its_addresses_without_showing_secrets(tmp_path: Path) -> None:
    project(tmp_path)
    environ = {"MLFLOW_TRACKING_URI": "postgresql://anna:hush@far/runs"}
    arguments, environment = server_command(
        load_settings(tmp_path, environ=environ), host="127.0.0.1", port=5005
    )
    assert environment["MLFLOW_BACKEND_STORE_URI"] == "postgresql://anna:hush@far/runs"
    assert not any("hush" in argument for argument in arguments)
    hosts = arguments[arguments.index("--allowed-hosts") + 1].split(",")
    assert hosts == ["127.0.0.1", "127.0.0.1:5005", "localhost", "localhost:5005"]
    assert arguments[arguments.index("--artifacts-destination") + 1] == str(tmp_path / "mlartifacts")


def test_a_remote_server_has_a_page_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, "tracking_uri: https://mlflow.example.org\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 0
    assert (
        result.output
        == "results are on an MLflow server with a page of its own: https://mlflow.example.org\n"
    )


def test_a_port_asked_for_that_is_taken_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(command, ["--port", str(port)])
    assert isinstance(result.exception, UsageError)
    assert result.exception.message == f"port {port} on 127.0.0.1 is taken"


def test_an_address_that_is_not_this_machines_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    # 192.0.2.0/24 is reserved for documentation.
    result = CliRunner().invoke(command, ["--host", "192.0.2.1"])
    assert isinstance(result.exception, UsageError)
    assert "cannot listen on 192.0.2.1" in result.exception.message


@pytest.mark.slow
def test_the_page_answers_its_own_names_only_uses_a_free_port_and_ends_with_all_its_processes(
    tmp_path: Path,
) -> None:
    first = free_port()
    settings = project(tmp_path, f"server: {{port: {first}}}\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        with page(tmp_path) as (process, said):
            address = address_in(said)
            port = int(address.rpartition(":")[2])
            assert port > first
            assert get(f"{address}/health")[0] == 200
            assert get(f"{address}/ajax-api/2.0/mlflow/experiments/search?max_results=1")[0] == 200
            evil = get(f"{address}/ajax-api/2.0/mlflow/experiments/search?max_results=1", host="evil.example")
            assert evil[0] == 403
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
    # Nothing listens any more: the worker went with its server.
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    assert settings.database is not None
    assert settings.database.exists()


@pytest.mark.slow
def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "mlflow.db").write_text("no database " * 1000)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from polylens.cli.ui import command; command(standalone_mode=False)",
            *("--port", str(free_port())),
        ],
        cwd=tmp_path,
        env={**os.environ, "MLFLOW_TRACKING_URI": "", "POLYLENS_STORE": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot use the database" in done.stderr


@pytest.mark.slow
@pytest.mark.browser
def test_metrics_figure_table_and_report_can_be_seen_in_a_browser(tmp_path: Path, browser: Chrome) -> None:
    from selenium.webdriver.common.by import By

    run = logged_run(project(tmp_path))
    shots = Path(os.environ.get("POLYLENS_SCREENSHOTS", tmp_path))

    def body() -> str:
        return browser.find_element(By.TAG_NAME, "body").text

    def see(address: str) -> None:
        # The page is one application: from one of its addresses to another it would not load anew.
        browser.get("about:blank")
        browser.get(address)

    def sees(*words: str) -> None:
        wait_for(lambda: all(word in body() for word in words), f"{words} in:\n{body()}")

    with page(tmp_path, "--port", str(free_port())) as (_, said):
        (link,) = re.findall(r"^  digits: (http\S+)$", said, re.MULTILINE)
        see(link)
        sees("mlp-clusters", "1 matching run")
        browser.save_screenshot(str(shots / "mlflow-runs.png"))

        root = f"{link.partition('?')[0]}/runs/{run.run_id}"
        see(root)
        sees("mlp-clusters", "quality/purity", "0.91", "model.hidden", "digits")
        browser.save_screenshot(str(shots / "mlflow-run.png"))

        see(f"{root}/artifacts/report.html")
        wait_for(lambda: browser.find_elements(By.TAG_NAME, "iframe"), "the report's frame")
        browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
        sees("Polytopes of digits", "Twelve clusters.")
        browser.switch_to.default_content()
        browser.save_screenshot(str(shots / "mlflow-report.png"))

        see(f"{root}/artifacts/tables/clusters.csv")
        sees("mostly-threes", "mostly-eights")
        browser.save_screenshot(str(shots / "mlflow-table.png"))

        see(f"{root}/artifacts/figures/cluster-sizes.png")
        shown = "return [...document.images].filter(image => image.naturalWidth === 640).length"
        wait_for(lambda: browser.execute_script(shown), "the figure at its own size")
        browser.save_screenshot(str(shots / "mlflow-figure.png"))
        # What the page still asks for would keep the server from ending.
        browser.get("about:blank")
