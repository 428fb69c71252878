"""One request and its reply. The key is sent and never seen again."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from ipaddress import ip_address
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from polylens.errors import UsageError
from polylens.work import Server

_MOST_BYTES = 4_000_000
_PIECE = 65_536
_MASK = "***"
_SECRET = 8
"""Characters of a key at least: shorter ones, such as `none`, stand for no key and are words in answers."""


@dataclass(frozen=True)
class Reply:
    """What came back, without the key."""

    status: int | None
    """HTTP's; None where nothing came back."""
    plain: Any = None
    """The body as plain data; None where it is no JSON."""
    said: str = ""
    """What the server said, or what was wrong."""
    retry_after: float | None = None
    """Seconds that the server asks to wait."""
    is_unreachable: bool = False
    """Whether no connection came about."""


class Connection:
    """Posts to one server."""

    def __init__(self, server: Server, *, timeout: float) -> None:
        """
        Args:
            server: where it is.
            timeout: seconds for a whole request.

        Raises:
            UsageError: the address is none.
        """
        parts = urlsplit(server.address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise UsageError(
                "the address of the judges' server must look like http://HOST:PORT/v1, without a password",
                hint="the key goes into POLYLENS_JUDGE_KEY",
            )
        self.address = server.address.rstrip("/")
        self._key = server.key
        self._timeout = timeout
        self._opener = _opener(parts.hostname)

    def post(self, body: Mapping[str, Any]) -> Reply:
        """The reply to one request; every trouble of the network is a reply as well."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        data = json.dumps(body).encode()
        request = Request(f"{self.address}/chat/completions", data=data, headers=headers)
        try:
            return self._send(request, deadline=time.monotonic() + self._timeout)
        except TimeoutError:
            return Reply(None, said=f"no answer in {self._timeout:g} seconds")
        except URLError as error:
            late = isinstance(error.reason, TimeoutError)
            return Reply(None, said=self._masked(str(error.reason)), is_unreachable=not late)
        except (OSError, HTTPException) as error:
            return Reply(None, said=self._masked(f"{type(error).__name__}: {error}"))

    def _send(self, request: Request, *, deadline: float) -> Reply:
        try:
            with self._opener.open(request, timeout=self._timeout) as stream:
                return self._reply(stream.status, stream.headers, _read(stream, deadline))
        except HTTPError as error:
            with error:
                return self._reply(error.code, error.headers, _read(error, deadline))

    def _reply(self, status: int, headers: Message, body: bytes) -> Reply:
        text = self._masked(body.decode("utf-8", errors="replace"))
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError):
            plain = None
        return Reply(status, plain, " ".join(text.split()), _seconds(headers.get("Retry-After")))

    def _masked(self, text: str) -> str:
        return text.replace(self._key, _MASK) if len(self._key) >= _SECRET else text


class _NoRedirects(HTTPRedirectHandler):
    """Another address could be anybody's: the key does not go there."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def _opener(host: str) -> OpenerDirector:
    """Follows no redirects, and asks no proxy for this very machine."""
    try:
        here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        here = False
    return build_opener(_NoRedirects(), *([ProxyHandler({})] if here else []))


def _read(stream: Any, deadline: float) -> bytes:
    """The body, of limited size and in limited time."""
    pieces: list[bytes] = []
    while piece := stream.read1(_PIECE):
        pieces.append(piece)
        if sum(map(len, pieces)) > _MOST_BYTES:
            break
        if time.monotonic() > deadline:
            raise TimeoutError
    return b"".join(pieces)


def _seconds(header: str | None) -> float | None:
    """Seconds to wait, from a number or a date."""
    if header is None:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
    except ValueError:
        return None
