"""The openai client here: no variable of its own says where a question or a key goes, or shows one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.judge_server import judge_server
from tests.judges.test_compatible import KEY, asked, judging, questions

from polylens.errors import DataError, UsageError
from polylens.judges.compatible import Compatible
from polylens.work import Judging, Server

OTHER = "sk-key-of-another-account"
LEAVES = {"host", "accept", "connection", "content-type", "content-length", "user-agent", "authorization"}
PROGRAM = """
import sys
from tests.judges.test_compatible import Compatible, Judging, Server, asked, questions
how = Judging({"default": Server(sys.argv[1], sys.argv[2])})
assert asked(Compatible(model="m", tries=1), questions(3), how).tally.counts["answered"] == 3
"""


@pytest.mark.slow
def test_no_variable_of_the_client_sends_anything_elsewhere_or_shows_a_key():
    with judge_server(key=KEY) as server, judge_server() as elsewhere:
        about = {
            "OPENAI_BASE_URL": elsewhere.address,
            "OPENAI_API_KEY": OTHER,
            "OPENAI_ADMIN_KEY": OTHER,
            "OPENAI_ORG_ID": "org-of-mine",
            "OPENAI_PROJECT_ID": "project-of-mine",
            "OPENAI_CUSTOM_HEADERS": f"Authorization: Bearer {OTHER}\nX-Mine: secret",
            "OPENAI_LOG": "debug",
            # A proxy is asked for other machines alone, and one that is none troubles nobody.
            "HTTP_PROXY": "socks5://me:password@127.0.0.1:9",
            "NO_PROXY": "",
        }
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, server.address, KEY],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **about},
        )
    assert done.returncode == 0, done.stderr
    assert elsewhere.requests == 0
    assert [set(headers) for headers in server.headers] == [LEAVES] * 3
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    # Who asks for the client's log gets it: requests, what became of them, and nothing that was in them.
    assert "openai" in done.stderr
    said = done.stdout + done.stderr
    assert not [text for text in (KEY, OTHER, "org-of-mine", "password", "row 1", "dates") if text in said]


def test_a_server_without_a_key_is_sent_none(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", OTHER)
    with judge_server() as server:
        asked(Compatible(model="m"), questions(1), judging(server))
    assert set(server.headers[0]) == LEAVES - {"authorization"}


def test_another_machine_is_asked_through_the_proxy_of_the_environment(monkeypatch):
    with judge_server() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address.removesuffix("/v1"))
        how = Judging({"default": Server("http://judges.invalid/v1")})
        found = asked(Compatible(model="m", tries=1), questions(1), how)
    assert found.tally.counts["answered"] == 1
    assert proxy.paths == ["http://judges.invalid/v1/chat/completions"]


def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "gopher://me:password@127.0.0.1:9")
    with pytest.raises(UsageError, match="ALL_PROXY") as caught:
        asked(Compatible(model="m"), questions(1), Judging({"default": Server("http://judges.invalid/v1")}))
    assert "password" not in str(caught.value)


def test_a_key_goes_to_no_other_address_than_its_own():
    with judge_server() as elsewhere:
        to = f"{elsewhere.address}/chat/completions"
        with judge_server(sends_on_to=to) as server, pytest.raises(DataError, match="not followed"):
            asked(Compatible(model="m"), questions(1), judging(server, key=KEY))
    assert (server.requests, elsewhere.requests) == (1, 0)


@pytest.mark.parametrize("sign", ["\n", " ", "é"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(sign):
    with judge_server() as server, pytest.raises(UsageError, match="no key has") as caught:
        asked(Compatible(model="m"), questions(1), judging(server, key=f"{KEY}{sign}"))
    assert KEY not in str(caught.value)
    assert server.requests == 0


def test_a_reply_that_never_ends_is_given_up_and_counted():
    with judge_server(drips=True) as server:
        found = asked(Compatible(model="m", tries=1, timeout=0.3), questions(1), judging(server))
    assert found.answers[0].outcome == "failed"
    assert found.answers[0].said == "no answer in 0.3 seconds"


def test_without_the_extra_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    for name in ("asking", "calling"):
        monkeypatch.delitem(sys.modules, f"polylens.judges.compatible.{name}", raising=False)
    with judge_server() as server, pytest.raises(DataError, match="need the package openai") as caught:
        asked(Compatible(model="m"), questions(1), judging(server))
    assert "polylens[judge]" in (caught.value.hint or "")
