"""What makes a frame doubtful: the camera's count, the time, the face. Who came is judged in `rules.seat`."""

import itertools
from dataclasses import dataclass
from datetime import datetime

from station.domain import facts, likeness
from station.domain.desk import Desk, Frame

#: Two pictures of one hour, in one light: the same person from here (least genuine pair .83, most alike strangers .59).
SAME_HOUR = 0.60
#: More frames than anybody has taken of them in one sitting.
_LOOK_BACK = 30


@dataclass(frozen=True, slots=True)
class Terms:
    """What a campaign demands of a binding, and which pauses are odd. Seconds; None: not asked."""

    proof: facts.Proof = "called"
    #: Nobody leaves the chair and another sits down in less.
    change_over_s: float | None = None
    #: So long after the number was shown, or after the last frame, somebody else may sit there.
    lingering_s: float | None = None


#: What old desk packs and the embedded stack go by: in a drill nobody has to stand up.
LENIENT = Terms()


@dataclass(frozen=True, slots=True)
class Odd:
    """A sign of drift: what should be, and what is."""

    sign: facts.Sign
    expected: str
    seen: str


def by_count(desk: Desk, frame: facts.FrameJournalled, former: str | None = None) -> Odd | None:
    """The camera's count jumped or went back, or the frame is nobody's; then it may show the `former` sitter."""
    last = desk.last_frame_counter.get(frame.camera_serial)
    following = frame.frame_counter if last is None else last + 1
    if frame.ticket is None or frame.frame_counter < following:
        expected = str(following) if frame.ticket else former or "-"
        return Odd("frame_unexpected", expected, str(frame.frame_counter))
    if frame.frame_counter > following:
        return Odd("frame_missing", str(following), str(frame.frame_counter))
    return None


def by_time(desk: Desk, frame: facts.FrameJournalled, terms: Terms, known_ns: int | None = None) -> Odd | None:
    """The frame comes sooner than anybody can have sat down, or so late that somebody else may sit there.

    `known_ns` as for `rules.take_in`.
    """
    if frame.ticket is None or desk.seating is None:
        return None
    last = desk.last_bound
    if last and last.ticket != frame.ticket and terms.change_over_s is not None:
        gap_s = (frame.monotonic_ns - last.monotonic_ns) / 1e9
        if 0 <= gap_s < terms.change_over_s:
            return Odd("frame_too_soon", frame.ticket, f"{gap_s:.1f} s")
    own = last if last and last.ticket == frame.ticket else None
    waited_s = _by_wall(desk.seating.at, own, frame) if known_ns is None else _sat(known_ns, own, frame)
    if terms.lingering_s is None or waited_s <= terms.lingering_s:
        return None
    return Odd("seat_stale", frame.ticket, f"{waited_s:.0f} s")


def by_face(desk: Desk, frame: Frame, compared: facts.FaceCompared) -> Odd | None:
    """The last student's face again, another face than in the frame before, or one unlike the reference."""
    ticket = frame.taken.ticket
    if ticket is None or (frame.decided and frame.decided.decision == "unbound"):
        return None
    seen = f"{compared.similarity:.2f}"
    match compared.against:
        case "previous" if compared.similarity >= SAME_HOUR:
            return Odd("face_repeated", desk.last_done or "-", ticket)
        case "own" if compared.similarity < SAME_HOUR and _has_earlier(desk, frame):
            return Odd("face_changed", ticket, seen)
        case "reference" if likeness.likeness(compared.similarity) == "unlike":
            return Odd("face_unlike", ticket, seen)
        case _:
            return None


def wants_a_look(frame: Frame) -> bool:
    """Whether a face is neither like nor unlike its reference: a person compares."""
    seen = [face for face in frame.faces if face.against == "reference"]
    return any(likeness.likeness(face.similarity) == "unclear" for face in seen)


def _has_earlier(desk: Desk, frame: Frame) -> bool:
    """Whether a frame of the same number came before that is not known to be somebody else's."""
    others = itertools.islice(reversed(desk.frames.values()), _LOOK_BACK)
    own = [other for other in others if other.taken.ticket == frame.taken.ticket and other is not frame]
    return any(other.decided is None or other.decided.decision != "unbound" for other in own)


def _sat(known_ns: int, own: facts.FrameJournalled | None, frame: facts.FrameJournalled) -> float:
    """Seconds since it was known who sits, or since their last frame; that may bear the time of another boot."""
    if own and known_ns <= own.monotonic_ns <= frame.monotonic_ns:
        known_ns = own.monotonic_ns
    return (frame.monotonic_ns - known_ns) / 1e9


def _by_wall(seated_at: datetime, own: facts.FrameJournalled | None, frame: facts.FrameJournalled) -> float:
    """The same by the clock on the wall, which may have been set meanwhile."""
    known_at = max(own.shutter_at, seated_at) if own else seated_at
    return (frame.shutter_at - known_at).total_seconds()
