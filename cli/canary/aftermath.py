"""What comes after the work: a session that does not balance is settled, a desk dies and is carried away on a stick."""

import asyncio
import json
from datetime import UTC, datetime
from uuid import UUID

import httpx

from cli import doors as cli_doors
from cli import sticks
from cli.demo import desks, doors
from cli.stack.stack import Stack
from kit import auth, documents, ids
from station import exporting, importing, settings


async def settle_a_session(stack: Stack, capture: doors.Door, desk: desks.Desk, reason: str) -> bool:
    """The desk's own key tells of a frame that is nowhere; somebody settles it. Whether the reason is read back."""
    session_id = ids.new()
    refused = await _tell(stack, desk, session_id)
    if refused["state"] != "refused":
        raise RuntimeError(f"未拒绝封存 a frame that is nowhere did not matter: {refused['state']}")
    path = f"/v1/sessions/{session_id}"
    await capture.post(f"{path}/settle", {"reason": reason})
    return bool((await capture.get(path))["settled_reason"] == reason)


async def _tell(stack: Stack, desk: desks.Desk, session_id: UUID) -> dict[str, str]:
    directory = settings.Directory(desk.folder)
    enrolled, key = directory.enrolled(), directory.private_pem()
    frame = {"capture_id": str(ids.new()), "sha256": "0" * 64}
    body = {"camera_frames": 1, "journalled": [frame]}
    document = {**body, "session_id": str(session_id), "station_id": str(enrolled.station_id)}
    signature = auth.Stamp(key, documents.SEAL).sign(documents.canonical(document))
    path, content = f"/v1/sessions/{session_id}", json.dumps({**body, "signature": signature}).encode()
    now = datetime.fromtimestamp(stack.now(), UTC)
    signed = auth.sign_station_request(key, enrolled.station_id, "PUT", path, content, now)
    headers = {"authorization": signed, "content-type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        answer = await client.put(stack.url("capture") + path, content=content, headers=headers)
    told: dict[str, str] = answer.raise_for_status().json()
    return told


async def carry_away(stack: Stack, capture: doors.Door, desk: desks.Desk) -> int:
    """The desk dies without network; its work goes onto a stick, and from there to the server. How many messages."""
    await asyncio.to_thread(stack.remove, desk.part)
    stick = await exporting.export(settings.Directory(desk.folder), stack.layout.root / "stick")
    await capture.post(f"/v1/stations/{desk.station_id}/revoke")
    server = sticks.Server(cli_doors.Door(stack.url("capture"), stack.token("crew_lead")))
    try:
        taken = await asyncio.to_thread(importing.take_in, stick.folder, server)
    finally:
        server.close()
    if not taken.whole or not stick.messages:
        raise RuntimeError("死机台站的数据未能全数导入 a dead desk's work did not come in whole")
    return stick.messages
