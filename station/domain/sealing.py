"""What a seal says: the cameras' own counts, every journalled frame, the head of the journal's chain. And its paper."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from station.domain import facts
from station.domain.desk import Desk, Session

#: Differences on the paper; the console shows all.
_ON_PAPER = 12
_WORDS = {
    "frame_missing": "服务器没有 not on server",
    "hash_differs": "内容不同 bytes differ",
    "not_journalled": "本机没有 not in journal",
    "not_counted": "相机多拍 camera only",
    "camera_went_back": "相机计数倒退 counter went back",
    "count_differs": "张数不同 counts differ",
    "journal_altered": "日志被改动 journal altered",
}


def count_cameras(desk: Desk, session: Session, serial: str, counted: int) -> tuple[facts.CameraCount, ...]:
    """What each camera of a session counted; `serial` and `counted` are those of the camera that is there now."""
    taken: dict[str, list[int]] = {session.camera_serial: []}
    for capture_id in session.frames:
        frame = desk.frames[capture_id].taken
        taken.setdefault(frame.camera_serial, []).append(frame.frame_counter)
    return tuple(_count(session, name, numbers, serial, counted) for name, numbers in taken.items())


def complete(
    sealed: facts.SessionSealed,
    cameras: tuple[facts.CameraCount, ...],
    journal: tuple[int, str, bool],
) -> facts.SessionSealed:
    """A seal with all that it will say, unsigned yet. `journal`: facts, head of their chain, whether it holds."""
    journal_facts, journal_head, journal_intact = journal
    return replace(
        sealed,
        camera_frames=sum(max(0, camera.after - camera.before) for camera in cameras),
        cameras=cameras,
        journal_facts=journal_facts,
        journal_head=journal_head,
        journal_intact=journal_intact,
    )


def document(desk: Desk, sealed: facts.SessionSealed) -> dict[str, Any]:
    """What is signed and told, but for session and station. A late frame stands where its camera counted it."""
    session = next(one for one in reversed(desk.sessions) if one.session_id == sealed.session_id)
    frames = dict.fromkeys(session.frames)
    for capture_id, frame in desk.frames.items():
        if any(_counts(camera, frame.taken) for camera in sealed.cameras):
            frames[capture_id] = None
    return {
        "camera_frames": sealed.camera_frames,
        "cameras": [{"serial": one.serial, "before": one.before, "after": one.after} for one in sealed.cameras],
        "journalled": [_frame(desk.frames[capture_id].taken) for capture_id in frames],
        "journal_facts": sealed.journal_facts,
        "journal_head": sealed.journal_head,
        "journal_intact": sealed.journal_intact,
        "opened_at": session.opened_at.isoformat(),
        "closed_at": sealed.at.isoformat(),
    }


def paper(desk_code: str, answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The lines of a printed seal. `answer` is what sealing the session came to. No person is named."""
    return tuple(_lines(desk_code, answer))


def _lines(desk_code: str, answer: Mapping[str, Any]) -> Iterator[str]:
    yield "场次封存单 Session seal"
    yield f"采集台 Desk {desk_code}"
    yield f"场次 Session {answer['session_id']}"
    yield f"相机 Camera    {answer['camera_frames']}"
    yield f"本机 Journal   {answer['journalled_frames']}"
    stored = answer["stored_frames"]
    yield f"服务器 Server  {'…' if stored is None else stored}"
    yield {
        "sealed": "已封存，三方一致 SEALED",
        "settled": "已签认差异后封存 SETTLED",
        "refused": "未封存：不符，勿清卡 REFUSED",
    }.get(str(answer["state"]), "等待服务器，勿清卡 WAITING")
    yield from _differences(answer)
    yield f"日志 Chain {str(answer.get('journal_head', ''))[:16]}"
    yield f"本机签名 Station {_short(answer.get('signature'))}"
    yield f"服务器签名 Server {_short(answer.get('countersignature'))}"
    yield f"{answer.get('sealed_at') or '-'}"
    yield "签字 Signature ____________________"


def _differences(answer: Mapping[str, Any]) -> Iterator[str]:
    differences = answer.get("differences", [])
    for one in differences[:_ON_PAPER]:
        what = (
            f"#{one['frame_counter']}"
            if one.get("frame_counter") is not None
            else str(one.get("capture_id") or "")[-12:]
        )
        yield f"- {_WORDS.get(one['kind'], one['kind'])} {what}".rstrip()
    if len(differences) > _ON_PAPER:
        yield f"… {answer['difference_count']} 处 in all"


def _short(signature: Any) -> str:
    return str(signature)[-24:] if signature else "-"


def _count(session: Session, name: str, numbers: list[int], serial: str, counted: int) -> facts.CameraCount:
    before = session.camera_frames_before if name == session.camera_serial else min(numbers) - 1
    return facts.CameraCount(name, before, counted if name == serial else max([before, *numbers]))


def _counts(camera: facts.CameraCount, frame: facts.FrameJournalled) -> bool:
    return frame.camera_serial == camera.serial and camera.before < frame.frame_counter <= camera.after


def _frame(frame: facts.FrameJournalled) -> dict[str, Any]:
    return {
        "capture_id": str(frame.capture_id),
        "sha256": frame.sha256,
        "camera_serial": frame.camera_serial,
        "frame_counter": frame.frame_counter,
    }
