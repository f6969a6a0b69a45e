"""What somebody types of the hall: read leniently, refused in words, not saved when this desk could not listen."""

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from fastapi.routing import APIRoute

from kit import messages
from kit.errors import Conflict, Invalid
from station import settings
from station.console import admission, door, joining
from tests.unit.station.fakes import Bench


def said(**more: object) -> joining.Sharing:
    """What the page sends."""
    return joining.Sharing.model_validate({"share": True, "listen": "192.168.1.11:8471", **more})


def test_what_is_typed_becomes_the_settings_of_the_command_line() -> None:
    """Commas and blanks of either width, and the colon of a Chinese input method."""
    read = joining.read(said(listen=" 192.168.1.11：8471 ", peers="192.168.1.12:8471， 192.168.1.13:8471\nc:1、d:2"))
    peers = ("192.168.1.12:8471", "192.168.1.13:8471", "c:1", "d:2")
    assert read == settings.HallSettings(listen="192.168.1.11:8471", peers=peers)
    assert joining.read(said(address="10.0.0.1:80")) == settings.HallSettings(
        listen="192.168.1.11:8471", address="10.0.0.1:80"
    )
    assert joining.read(joining.Sharing(share=False, listen="nonsense")) is None


@pytest.mark.parametrize(
    ("typed", "code", "field"),
    [
        ({"listen": "192.168.1.11"}, "hall-address-invalid", "listen"),
        ({"listen": ":8471"}, "hall-address-invalid", "listen"),
        ({"listen": ""}, "hall-address-invalid", "listen"),
        ({"listen": "192.168.1.11:99999"}, "hall-port-invalid", "listen"),
        ({"peers": "192.168.1.12:8471 192.168.1.13"}, "hall-address-invalid", "peers"),
        ({"peers": "192.168.1.12:0"}, "hall-port-invalid", "peers"),
        ({"address": "http://x:1"}, "hall-address-invalid", "address"),
    ],
)
def test_what_is_no_address_is_named(typed: dict[str, str], code: str, field: str) -> None:
    """With the field that it stands in, and words for both."""
    with pytest.raises(Invalid) as refused:
        joining.read(said(**typed))
    assert (refused.value.code, refused.value.params["field"]) == (code, field)
    assert all(messages.render(code, refused.value.params))


def test_an_address_that_is_taken_or_not_ours_is_refused() -> None:
    """Before it is saved, so that no desk starts deaf."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for listen in (f"127.0.0.1:{port}", "192.0.2.1:8471", "a..b:8471"):
            with pytest.raises(Invalid, match="hall-listen-impossible"):
                joining.demand_free(listen)
    joining.demand_free(f"127.0.0.1:{port}")


async def test_whoever_sits_down_while_the_address_is_tried_is_not_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trying takes a moment; then the desk is busy, nothing is saved, and the station does not start anew."""
    bench, started = Bench(), list[bool]()
    desk = cast(door.Desk, SimpleNamespace(agent=SimpleNamespace(work=bench.work)))
    guard = admission.Admission(bytes(32), lambda: "A")
    directory = settings.Directory(tmp_path)
    router = joining.router(desk, directory, guard, lambda: started.append(True))
    (join,) = (
        route.endpoint for route in router.routes if isinstance(route, APIRoute) and "POST" in (route.methods or ())
    )

    def sit_down(_: str) -> None:
        bench.desk.seated = "A-0001"

    monkeypatch.setattr(joining, "demand_free", sit_down)
    with pytest.raises(Conflict, match="console-setup-busy"):
        await join(said())
    assert (directory.hall_settings(), started) == (None, [])
    bench.desk.seated = None
    monkeypatch.setattr(joining, "demand_free", lambda _: None)
    assert (await join(said())).restarting
    assert (directory.hall_settings() is not None, started) == (True, [True]), "control: idle, it joins"
