"""`polylens ui`: MLflow's own page, with the addresses of `mlflow.yaml`."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from polylens.errors import PolylensError, UsageError
from polylens.settings import Settings, load_settings

if TYPE_CHECKING:
    from polylens.tracking import Tracker

_START_SECONDS = 120
_STOP_SECONDS = 10
_PORTS_TRIED = 50
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@click.command("ui", short_help="Open MLflow's own page with this project's results.")
@click.option("--host", help="Network address to listen on. Default: server.host of mlflow.yaml, 127.0.0.1.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port to listen on. Default: server.port of mlflow.yaml, 5000, or the next free one.",
)
def command(host: str | None, port: int | None) -> None:
    """Serve MLflow's own page with this project's results until Ctrl-C."""
    settings = load_settings(Path.cwd())
    for note in settings.notes:
        click.echo(note, err=True)
    if settings.tracking_is_server:
        _tracker(settings).send_kept()
        click.echo(f"results are on an MLflow server with a page of its own: {settings.tracking_shown}")
        return
    host = host or settings.ui_host
    if port is not None and not _is_free(host, port):
        raise UsageError(f"port {port} on {host} is taken", hint="without --port the next free one is used")
    chosen = port or _free_port(host, settings.ui_port)
    if chosen != (port or settings.ui_port):
        click.echo(f"port {settings.ui_port} is taken; using {chosen}", err=True)
    if host not in _LOOPBACK:
        click.echo(f"anyone who reaches {host} can read and delete runs: MLflow has no login", err=True)
    click.echo("starting MLflow ...", err=True)
    experiments = _experiments(settings)
    with _interruptible(), _server(settings, host=host, port=chosen) as (process, log):
        address = f"http://{f'[{host}]' if ':' in host else host}:{chosen}"
        _wait_until_it_answers(address, process, log)
        click.echo(f"MLflow shows {settings.tracking_shown} at {address}")
        for name, page in experiments.items():
            click.echo(f"  {name}: {address}/{page}")
        click.echo(
            "where the page shows no runs, choose 'Model training' at the top left; Ctrl-C ends", err=True
        )
        process.wait()
        raise PolylensError("MLflow's server stopped by itself", hint=_tail(log))


def server_command(settings: Settings, *, host: str, port: int) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment of MLflow's server.

    Experiments store absolute artifact locations, which the server reads where they lie; artifacts of
    experiments made in the page itself go through the server to the same root.
    """
    hosts = [
        f"{name}{port_part}" for name in (host, "localhost", "127.0.0.1") for port_part in ("", f":{port}")
    ]
    arguments = [
        *("--host", host, "--port", str(port), "--workers", "1"),
        *("--allowed-hosts", ",".join(dict.fromkeys([*hosts, *settings.ui_allowed_hosts]))),
        *("--serve-artifacts", "--artifacts-destination", settings.artifact_root),
    ]
    environment = {
        **os.environ,
        # In the environment rather than on the command line, where others could read a password in it.
        "MLFLOW_BACKEND_STORE_URI": settings.tracking_uri,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    return [sys.executable, "-m", "mlflow", "server", *arguments], environment


def _experiments(settings: Settings) -> dict[str, str]:
    """The experiments, each with the last part of its address.

    Creates a missing database under the tracker's lock; says at once what is wrong with one that is there.
    """
    tracker = _tracker(settings)
    tracker.prepare_database()
    # The page is to show what runs could not send.
    tracker.send_kept()
    return tracker.experiments()


def _tracker(settings: Settings) -> Tracker:
    """A tracker that says on the error stream what it sends and what it cannot send."""
    from polylens.progress import ProgressLines
    from polylens.tracking import Tracker

    return Tracker(settings, progress=ProgressLines(sys.stderr))


@contextlib.contextmanager
def _server(settings: Settings, *, host: str, port: int) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    arguments, environment = server_command(settings, host=host, port=port)
    log = settings.store / "ui.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        # A session of its own: its workers are stopped with it, and Ctrl-C reaches them through us alone.
        process = subprocess.Popen(
            arguments,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process, log
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_STOP_SECONDS)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Makes a plain kill and a closed terminal end the server as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: dict[signal.Signals, Any] = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    # This machine's own address: a proxy of the environment must not be asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    reachable = address.replace("://0.0.0.0", "://127.0.0.1").replace("://[::]", "://[::1]")
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise PolylensError("MLflow's server did not start", hint=_tail(log))
        with (
            contextlib.suppress(OSError, urllib.error.URLError),
            opener.open(f"{reachable}/health", timeout=5),
        ):
            return
        time.sleep(0.2)
    raise PolylensError(f"MLflow's server does not answer after {_START_SECONDS} seconds", hint=_tail(log))


def _tail(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return "\n  ".join([f"the end of {log}:", *lines[-5:]])


def _free_port(host: str, first: int) -> int:
    for port in range(first, min(first + _PORTS_TRIED, 65536)):
        if _is_free(host, port):
            return port
    raise UsageError(f"no free port on {host} from {first} on", hint="name one with --port")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server itself does: a port that only waits for old connections to fade is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise UsageError(f"cannot listen on {host}: {error}", hint="name another --host") from error
            return False
    return True
