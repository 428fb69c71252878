"""A server on loopback that speaks the judges' protocol, honest or not, and counts what it is asked."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Brain = Callable[[str, dict[str, Any], dict[str, Any]], dict[str, Any]]
"""Instructions, data and schema in; the answer out."""


def first_option(instructions: str, data: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Always the first word that may be answered."""
    if "answer" in schema["properties"]:
        return {"answer": schema["properties"]["answer"]["enum"][0]}
    return {"label": "a label", "meanings": "one", "why": "because"}


@dataclass
class Manners:
    """How it misbehaves: shares of the questions, each by the digest of the question."""

    malformed: float = 0.0
    refused: float = 0.0
    failing: float = 0.0
    """Answered with status 500, whenever they are asked."""
    delay: float = 0.0
    limited_every: int = 0
    """Every so many requests are told to wait."""
    retry_after: str = "0.1"
    key: str = ""
    """The key that is asked for."""
    sends_on_to: str = ""
    """Another address that every request is sent on to."""
    drips: bool = False
    """Whether a reply comes a byte at a time and never ends."""


@dataclass
class JudgeServer:
    """What it was asked and how it answered."""

    brain: Brain
    manners: Manners
    address: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each message was answered, errors among it; being told to wait is not."""
    limited: int = 0
    requests: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    """As they were asked for: whole addresses where it is asked as a proxy."""
    closed: threading.Event = field(default_factory=threading.Event)
    open_now: int = 0
    most_open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fate(self, message: str) -> str:
        """What becomes of a question: always the same."""
        at = int(hashlib.sha256(message.encode()).hexdigest()[:8], 16) / 16**8
        for name in ("malformed", "refused", "failing"):
            at -= getattr(self.manners, name)
            if at < 0:
                return name
        return "answered"

    def reply(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        message = body["messages"][1]["content"]
        text = message if isinstance(message, str) else message[0]["text"]
        time.sleep(self.manners.delay)
        whole = text if isinstance(message, str) else json.dumps(message)
        fate = self.fate(whole)
        with self.lock:
            self.asked[whole] += 1
            self.bodies.append(body)
        if fate == "failing":
            return 500, {"error": "out of order"}
        asked = body["messages"][0]["content"]
        schema = json.loads(asked.rpartition("\n")[2])
        said: dict[str, Any] = {"content": json.dumps(self.brain(asked, json.loads(text), schema))}
        if fate == "malformed":
            said = {"content": "Sure! The answer is yes."}
        if fate == "refused":
            said = {"content": None, "refusal": "I would rather not."}
        choice = {"message": {"role": "assistant", **said}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 100, "completion_tokens": 10}
        return 200, {"model": "honest-1", "choices": [choice], "usage": usage}


class _Handler(BaseHTTPRequestHandler):
    judge: JudgeServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        judge, manners = self.judge, self.judge.manners
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with judge.lock:
            judge.requests += 1
            number = judge.requests
            judge.open_now += 1
            judge.most_open = max(judge.most_open, judge.open_now)
            judge.headers.append({name.lower(): value for name, value in self.headers.items()})
            judge.paths.append(self.path)
        try:
            self._answer(judge, manners, body, number)
        except (BrokenPipeError, ConnectionResetError):
            pass  # who asked was killed
        finally:
            with judge.lock:
                judge.open_now -= 1

    def _answer(self, judge: JudgeServer, manners: Manners, body: dict[str, Any], number: int) -> None:
        if manners.drips:
            self._drip(judge.closed)
        elif manners.sends_on_to:
            self._send(307, {}, {"Location": manners.sends_on_to})
        elif urlsplit(self.path).path != "/v1/chat/completions":
            self._send(404, {"error": "no such path"})
        elif manners.key and self.headers.get("Authorization") != f"Bearer {manners.key}":
            self._send(401, {"error": f"wrong key {self.headers.get('Authorization')}"})
        elif manners.limited_every and number % manners.limited_every == 0:
            judge.limited += 1
            self._send(429, {"error": "slow down"}, {"Retry-After": manners.retry_after})
        else:
            self._send(*judge.reply(body))

    def _send(self, status: int, plain: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(plain).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _drip(self, closed: threading.Event) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while not closed.wait(0.02):
            self.wfile.write(b" ")

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # a connection that is not taken in time would be an error of the network


@contextmanager
def judge_server(brain: Brain = first_option, **manners: Any) -> Iterator[JudgeServer]:
    """A server that answers while the block lasts."""
    judge = JudgeServer(brain, Manners(**manners))
    handler = type("Handler", (_Handler,), {"judge": judge})
    server = _Server(("127.0.0.1", 0), handler)
    judge.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield judge
    finally:
        judge.closed.set()
        server.shutdown()
        server.server_close()
        thread.join()
