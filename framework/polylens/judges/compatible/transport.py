"""What leaves for a judges' server, and how much of what comes back is read, whatever a library would do."""

from __future__ import annotations

import functools
import os
import ssl
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import cast

import httpx2

from polylens.errors import UsageError

_MOST_BYTES = 4_000_000
_SENT = ("host", "accept", "connection", "content-type", "content-length", "user-agent")
"""Headers that leave. The client adds some of its own, such as those of an account that the environment names
(`OPENAI_ORG_ID`, `OPENAI_CUSTOM_HEADERS`): another server has no business with them."""
_IDLE = 2.0
"""Seconds that a connection is kept for the next request; servers close theirs after five and more."""
_DEADLINE = "polylens_deadline"


def http_client(host: str, *, key: str, timeout: float, at_once: int) -> httpx2.Client:
    """A client that follows no redirects and asks no proxy for this very machine.

    Args:
        host: of the server.
        key: that is sent to it; empty for none.
        timeout: seconds for a whole request.
        at_once: requests that are open at the same time, at most.

    Raises:
        UsageError: the proxy that the environment names cannot be used.
    """

    def leaving(request: httpx2.Request) -> None:
        request.extensions[_DEADLINE] = time.monotonic() + timeout
        for name in set(request.headers) - set(_SENT):
            del request.headers[name]
        if key:
            request.headers["Authorization"] = f"Bearer {key}"

    def coming(response: httpx2.Response) -> None:
        deadline = response.request.extensions[_DEADLINE]
        response.stream = _Limited(cast("httpx2.SyncByteStream", response.stream), deadline)

    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once, keepalive_expiry=_IDLE)
    try:
        trusted = _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        return httpx2.Client(
            verify=trusted,
            # Another address could be anybody's: the key does not go there.
            follow_redirects=False,
            timeout=timeout,
            limits=limits,
            # With a transport of its own it looks for no proxy.
            transport=httpx2.HTTPTransport(verify=trusted, limits=limits) if _is_here(host) else None,
            event_hooks={"request": [leaving], "response": [coming]},
        )
    except (ImportError, ValueError, httpx2.InvalidURL):
        # Not shown: the address of a proxy may hold a password.
        raise UsageError(
            "the proxy that the environment names (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) cannot be used",
            hint="it must look like http://HOST:PORT; NO_PROXY names hosts that are asked without it",
        ) from None


@functools.cache
def _trusted(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """The certificates that this machine trusts, read once where the environment names the same: a tenth of a
    second for each client.
    """
    return httpx2.create_ssl_context()


class _Limited(httpx2.SyncByteStream):
    """A body, of limited size and in limited time."""

    def __init__(self, stream: httpx2.SyncByteStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            yield piece
            size += len(piece)
            if size > _MOST_BYTES:
                return
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the body took too long")

    def close(self) -> None:
        self._stream.close()


def _is_here(host: str) -> bool:
    """Whether a host is this very machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
