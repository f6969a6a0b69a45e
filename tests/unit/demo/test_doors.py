"""The demo's calls over a door that is shut for a while, without any server."""

import time
from itertools import count

import httpx
import pytest

from cli.demo import doors


class Flaky:
    """Gives up these statuses one after the other; 0 is a connection that breaks."""

    def __init__(self, *statuses: int, code: str = "") -> None:
        self._left = list(statuses)
        self._code = code
        self.asked = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        status = self._left.pop(0)
        if status == 0:
            raise httpx.ReadError("cut", request=request)
        return httpx.Response(status, json={"code": self._code if status >= 400 else ""})


def door(answers: Flaky, healed: list[int]) -> doors.Door:
    made = doors.Door(lambda: "http://here", lambda: "Bearer x", lambda: healed.append(1))
    made._client = httpx.AsyncClient(transport=httpx.MockTransport(answers))
    return made


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "_PAUSE_S", 0.0)


async def test_a_call_goes_on_until_it_is_answered() -> None:
    """A broken connection and a 503 are tried again, and each time somebody looks whether the stack is gone."""
    healed: list[int] = []
    answers = Flaky(0, 503, 200)
    assert await door(answers, healed).post("/v1/things") == {"code": ""}
    assert (answers.asked, len(healed)) == (3, 2)


async def test_a_refusal_is_not_tried_again() -> None:
    """What the door has understood and refuses is told at once, with its code."""
    answers = Flaky(409, code="verify-nothing-to-deliver")
    with pytest.raises(doors.Refused) as refused:
        await door(answers, []).post("/v1/things")
    assert (answers.asked, refused.value.code) == (1, "verify-nothing-to-deliver")


async def test_the_time_of_healing_is_no_loss_of_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the stack takes to start again, a call is tried after it."""
    monkeypatch.setattr(doors, "_PATIENCE_S", 0.2)
    answers = Flaky(0, 200)
    slow = doors.Door(lambda: "http://here", lambda: "Bearer x", lambda: time.sleep(0.4))
    slow._client = httpx.AsyncClient(transport=httpx.MockTransport(answers))
    assert await slow.get("/v1/things") == {"code": ""}


async def test_what_depends_on_an_event_is_asked_again_by_its_code() -> None:
    """A payer whom billing has not heard of yet is no refusal; any other 422 is one."""
    answers = Flaky(404, 422, 200, code="billing-payer-unknown")
    assert await door(answers, []).post_once_known("/v1/payments", {}, "billing-payer-unknown") == {"code": ""}
    with pytest.raises(doors.Refused):
        await door(Flaky(422, code="malformed-request"), []).post_once_known(
            "/v1/payments", {}, "billing-payer-unknown"
        )


def newest(answers: Flaky) -> doors.Door:
    """A door whose token is another one each time that it is read."""
    made, tokens = door(answers, []), count()
    made._authorise = lambda: f"Bearer {next(tokens)}"
    return made


async def test_a_token_of_the_last_life_is_read_anew_once() -> None:
    """A desk that began anew refuses its old token; who is refused with the newest one too is told so at once."""
    assert await newest(Flaky(401, 200)).get("/v1/state") == {"code": ""}
    refusing = Flaky(401, 401, code="token-invalid")
    with pytest.raises(doors.Refused, match="401"):
        await newest(refusing).get("/v1/state")
    assert refusing.asked == 2
    same = Flaky(401, code="token-invalid")
    with pytest.raises(doors.Refused, match="401"):
        await door(same, []).get("/v1/state")
    assert same.asked == 1
