"""Many questions at once, within limits: retries with growing pauses, and waits that the server asks for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from polylens.errors import DataError
from polylens.judges.compatible.calling import Connection, Reply
from polylens.judges.compatible.messages import answer_of
from polylens.records import Answer, Question
from polylens.work import Server

if TYPE_CHECKING:
    from polylens.judges.compatible import Compatible

_PAUSE = 0.5
"""Seconds before the second try; twice as long before each further one."""
_LONGEST_PAUSE = 30.0
_SHORTEST_WAIT = 0.05
_AGAIN = (408, 409, 425, 500, 502, 503, 504, 529)
_WAIT = (429, 503)
"""Of these a reply says by `Retry-After` how long to wait."""
_NEVER = {
    401: "refuses the key",
    403: "refuses the key",
    404: "has no such model or address",
}
_SHOWN = 300
"""Characters of a server's own words in messages and in kept answers."""


class Gate:
    """Where all threads wait when the server has told one of them to."""

    def __init__(self, sleep: Callable[[float], bool | None]) -> None:
        """
        Args:
            sleep: waits so many seconds; gives True where nobody need wait any longer.
        """
        self._lock = threading.Lock()
        self._until = 0.0
        self._sleep = sleep

    def hold(self, seconds: float) -> None:
        """Lets nobody through for so many seconds."""
        with self._lock:
            self._until = max(self._until, time.monotonic() + seconds)

    def wait(self) -> None:
        """Waits until the gate is open."""
        while (left := self._until - time.monotonic()) > 0:
            if self._sleep(left):
                return


class Caller:
    """Asks one server on behalf of one judge."""

    def __init__(self, judge: Compatible, server: Server) -> None:
        self._judge = judge
        self._connection = Connection(server, timeout=judge.timeout, at_once=judge.at_once)
        self._stopped = threading.Event()
        self._gate = Gate(self._stopped.wait)

    def answers(self, questions: Sequence[Question]) -> Iterator[tuple[int, Answer]]:
        """The answers as they come; no more than `at_once` are open, or came and were not taken yet.

        So whoever keeps each before taking the next loses no more than those when the process is killed.
        """
        at_once = min(self._judge.at_once, len(questions))
        pool = ThreadPoolExecutor(at_once, "polylens-judge")
        waiting = iter(enumerate(questions))
        places: dict[Future[Answer], int] = {}
        try:
            places |= {pool.submit(self._answer, each): place for place, each in islice(waiting, at_once)}
            while places:
                for done in wait(places, return_when=FIRST_COMPLETED).done:
                    yield places.pop(done), done.result()
                    for place, each in islice(waiting, 1):
                        places[pool.submit(self._answer, each)] = place
        finally:
            self._stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            if places:
                # Requests that are open end by themselves, by their timeout at the latest.
                threading.Thread(target=self._close_after, args=(places,), daemon=True).start()
            else:
                self._connection.close()

    def _close_after(self, requests: Iterable[Future[Answer]]) -> None:
        """Closes connections when no request is open any more: it would leave a new one behind."""
        wait(requests)
        self._connection.close()

    def _answer(self, question: Question) -> Answer:
        """Asks one question until there is an answer, or tries and patience are at an end."""
        body = self._judge.request(question)
        random = Random(question.message)
        waited, waits, tries = 0.0, 0, 0
        while True:
            self._gate.wait()
            if self._stopped.is_set():
                return Answer("failed", said="stopped", tries=tries)
            reply = self._connection.post(body)
            if reply.status == 200:
                return answer_of(reply.plain, question, tries=tries + 1)
            self._check(reply)
            asked = reply.retry_after if reply.status in _WAIT else None
            if reply.status == 429 and asked is None:
                asked = _pause(waits, random)
            if asked is not None:
                # Never at once: a server that says 0 would be asked without end.
                asked = max(asked, _SHORTEST_WAIT)
            if asked is not None and waited + asked <= self._judge.patience:
                waited, waits = waited + asked, waits + 1
                self._gate.hold(asked)
                continue
            tries += 1
            again = reply.status in (None, *_AGAIN) and asked is None
            if not again or tries >= self._judge.tries:
                return self._failure(reply, tries)
            self._stopped.wait(_pause(tries - 1, random))

    def _check(self, reply: Reply) -> None:
        """Refuses to go on where no question can be answered."""
        if reply.status in _NEVER or (reply.status is not None and 300 <= reply.status < 400):
            what = _NEVER.get(reply.status, "sends on to another address, which is not followed")
            raise DataError(
                f"the judges' server at {self._connection.address} {what} "
                f"({reply.status}): {reply.said[:_SHOWN]}",
                hint="POLYLENS_JUDGE_ADDRESS and POLYLENS_JUDGE_KEY, or judges in mlflow.yaml, say where it "
                "is; answers that came before are kept",
            )

    def _failure(self, reply: Reply, tries: int) -> Answer:
        if reply.is_unreachable:
            raise DataError(
                f"no server for judges answers at {self._connection.address}: {reply.said[:_SHOWN]}",
                hint="start it and run the spec again; answers that came before are kept",
            )
        said = f"{reply.status}: {reply.said[:_SHOWN]}" if reply.status else reply.said[:_SHOWN]
        return Answer("failed", said=said, tries=tries)


def _pause(tries: int, random: Random) -> float:
    """Seconds before the next try; not all threads come back at once."""
    return float(min(_PAUSE * 2**tries, _LONGEST_PAUSE) * random.uniform(0.5, 1.0))
