"""A stand-in for the Hugging Face hub on loopback: folders served as the hub serves repositories."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
"""The one revision that every repository has."""
REFUSALS = {
    "gated/denied": (403, "GatedRepo"),
    "gated/unknown": (401, "GatedRepo"),
    "broken/hub": (500, ""),
    "forbidden/place": (403, ""),
}
"""Repositories of which only this status and X-Error-Code are ever given."""


class _Handler(BaseHTTPRequestHandler):
    root: Path
    asked: list[str]

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._answer(json.loads(self.rfile.read(length) or b"{}"))

    def log_message(self, *_: object) -> None:
        """Tests stay silent."""

    def _answer(self, body: dict[str, list[str]] | None = None) -> None:
        self.asked.append(self.path)
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        is_api = parts[0] == "api"
        parts = parts[1:] if is_api else parts
        kind = parts.pop(0) if parts[0] in ("datasets", "models") else "models"
        name, verb, rest = "/".join(parts[:2]), parts[2] if len(parts) > 2 else "revision", parts[3:]
        if name in REFUSALS:
            return self._refuse(*REFUSALS[name])
        folder = self.root / kind / name
        if not folder.is_dir():
            return self._refuse(401 if is_api else 404, "RepoNotFound")
        if rest and rest[0] != COMMIT:
            return self._refuse(404, "RevisionNotFound")
        inside = "/".join(rest[1:])
        if verb == "resolve":
            path = folder / inside
            return self._send_file(path) if path.is_file() else self._refuse(404, "EntryNotFound")
        if verb == "tree":
            below = folder / inside
            entries = [_entry(path, folder) for path in sorted(below.rglob("*")) if path.is_file()]
            folders = [_entry(path, folder) for path in sorted(below.rglob("*")) if path.is_dir()]
            found = [*folders, *entries] if below.is_dir() else None
            return self._send(found) if found is not None else self._refuse(404, "EntryNotFound")
        if verb == "paths-info":
            paths = [folder / path for path in (body or {}).get("paths", [])]
            return self._send([_entry(path, folder) for path in paths if path.exists()])
        files = [{"rfilename": path.relative_to(folder).as_posix()} for path in folder.rglob("*.*")]
        return self._send({"id": name, "sha": COMMIT, "siblings": files, "private": False, "gated": False})

    def _send_file(self, path: Path) -> None:
        content = path.read_bytes()
        asked = self.headers.get("Range", "")
        headers = {"ETag": f'"{_oid(path)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if asked.startswith("bytes="):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            stop = int(last) + 1 if last else len(content)
            headers["Content-Range"] = f"bytes {first}-{min(stop, len(content)) - 1}/{len(content)}"
            return self._write(206, content[int(first) : stop], headers)
        return self._write(200, content, headers)

    def _send(self, value: object) -> None:
        self._write(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str) -> None:
        self._write(status, b"", {"X-Error-Code": code} if code else {})

    def _write(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _oid(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


def _entry(path: Path, folder: Path) -> dict[str, object]:
    name = path.relative_to(folder).as_posix()
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": "0" * 40, "size": 0}
    return {"type": "file", "path": name, "oid": _oid(path), "size": path.stat().st_size}


@contextmanager
def serving(root: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a hub with the repositories `root/{models,datasets}/OWNER/NAME`; what it is asked."""
    asked: list[str] = []
    handler = type("Handler", (_Handler,), {"root": root, "asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def point_at(monkeypatch: pytest.MonkeyPatch, address: str, *, cache: Path, offline: bool = False) -> None:
    """Makes the hub's libraries ask `address` and keep what they get in `cache`."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    # Waiting for a hub that answers with errors is no part of what is tested.
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    try:
        import datasets.config
    except ImportError:
        return
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", address)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", offline)
    for name in ("HF_DATASETS_CACHE", "DOWNLOADED_DATASETS_PATH", "HF_MODULES_CACHE"):
        monkeypatch.setattr(datasets.config, name, cache / name)
