"""Faces at the desk: only with consent, only in memory, with words for a person and a verdict for nobody."""

import base64
import os
import pickle
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kit import crypto, messages
from kit.errors import Conflict
from photospec import likeness as measured
from station import faces, journal, spool
from station.console import sights
from station.domain import facts
from station.domain.desk import Desk
from station.domain.likeness import likeness
from station.handlers import comparing, frames, queue, sessions
from station.previews import Previews
from tests.unit.station.fakes import Bench

FACES = Path(os.environ.get("GRADPHOTO_FACES", Path(__file__).parents[3] / "../shared/faces"))
NO_FACES = "real portraits may not be part of the project: name a folder of them in GRADPHOTO_FACES"


def _vector(person: int, picture: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A stand-in: pictures of one person lie within .9, two people near 0."""
    own = np.random.default_rng(person).normal(size=128)
    noise = np.random.default_rng((person, picture)).normal(size=128)
    return (own + 0.3 * noise).astype(np.float32)


_looked: list[bytes] = []


def _stand_in(picture: bytes) -> measured.Remembered | None:
    """`b"<person> <picture>"`; nobody in any other bytes."""
    _looked.append(picture)
    person, _, number = picture.partition(b" ")
    return measured.Remembered(_vector(int(person), int(number))) if person.isdigit() else None


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A desk of a campaign that compares faces, with three students checked in and none seated."""
    monkeypatch.setattr(measured, "remember", _stand_in)
    bench = Bench(3)
    _looked.clear()
    comparer = faces.SFaceFaces()
    bench.work.faces = comparer
    bench.packs.face_consent = "1"
    yield bench
    comparer.close()


async def _begin(bench: Bench) -> None:
    await sessions.open_session(bench.work)
    for place in range(3):
        await queue.check_in(bench.work, f"scan-{place}")


async def _shoot(bench: Bench, person: int, picture: int) -> frames.Shot:
    bench.camera.picture = f"{person} {picture}".encode()
    return await frames.press_shutter(bench.work)


async def _photograph(bench: Bench, person: int, picture: int) -> tuple[facts.FaceCompared, ...]:
    """Whoever is next sits, is photographed and kept, after a look where drift is suspected; what the faces said."""
    await queue.seat(bench.work, None)
    shot = await _shoot(bench, person, picture)
    said = bench.desk.frames[shot.frame.capture_id].faces
    if bench.desk.drift:
        await bench.answer("seen")
    await frames.decide(bench.work, shot.frame.capture_id, "keep", None)
    return said


async def test_without_consent_no_face_is_looked_at(bench: Bench) -> None:
    """Neither the policy alone nor one of two students is enough; nothing is remembered, nothing noted."""
    await _begin(bench)
    assert await _photograph(bench, 1, 1) == ()
    assert not _looked
    await comparing.note_consent(bench.work, "A-0002", given=True)
    assert await _photograph(bench, 1, 2) == ()
    assert _looked == [b"1 2"]


async def test_a_campaign_that_compares_no_faces_takes_no_consent(bench: Bench) -> None:
    """Off is the rule: a pack that says nothing, or names a text that this desk lacks, compares nobody."""
    await _begin(bench)
    for version in ("", "999"):
        bench.packs.face_consent = version
        with pytest.raises(Conflict, match="desk-faces-off"):
            await comparing.note_consent(bench.work, "A-0001", given=True)
        assert comparing.consent_text(bench.work) is None


async def test_one_face_for_two_students_is_told_and_refuses_nobody(bench: Bench) -> None:
    """The second frame stays accepted and can be kept; the operator reads why to look."""
    await _begin(bench)
    for ticket in ("A-0001", "A-0002", "A-0003"):
        await comparing.note_consent(bench.work, ticket, given=True)
    assert await _photograph(bench, 1, 1) == ()
    (again,) = await _photograph(bench, 1, 2)
    assert (again.against, likeness(again.similarity)) == ("previous", "likely")
    seen = sights.Seen(bench.work, bench.packs.current(), Previews(bench.spool))
    (told,) = next(iter(seen.recent())).faces
    assert (told.code, told.severity) == ("face-previous-likely", "warn")
    (other,) = await _photograph(bench, 2, 1)
    assert (other.against, likeness(other.similarity)) == ("previous", "unlike")
    assert next(iter(seen.recent())).faces == ()


async def test_a_retake_is_compared_with_its_own_number_and_the_one_before(bench: Bench) -> None:
    """Somebody else on the chair is seen; the student before is still the one to be unlike."""
    await _begin(bench)
    for ticket in ("A-0001", "A-0002"):
        await comparing.note_consent(bench.work, ticket, given=True)
    await _photograph(bench, 1, 1)
    await queue.seat(bench.work, None)
    shot = await _shoot(bench, 2, 1)
    await frames.decide(bench.work, shot.frame.capture_id, "retake", None)
    shot = await _shoot(bench, 1, 2)
    said = {face.against: likeness(face.similarity) for face in bench.desk.frames[shot.frame.capture_id].faces}
    assert said == {"own": "unlike", "previous": "likely"}


async def test_a_reference_is_held_for_its_ticket_until_that_is_done(bench: Bench) -> None:
    """The face on the card is compared once, and dropped with the decision; without consent it is not taken."""
    await _begin(bench)
    with pytest.raises(Conflict, match="desk-faces-off"):
        await comparing.expect(bench.work, "A-0001", b"1 9")
    await comparing.note_consent(bench.work, "A-0001", given=True)
    assert not await comparing.expect(bench.work, "A-0001", b"nobody")
    assert await comparing.expect(bench.work, "A-0001", b"2 9")
    (said,) = await _photograph(bench, 1, 1)
    assert (said.against, likeness(said.similarity)) == ("reference", "unlike")
    assert isinstance(bench.work.faces, faces.SFaceFaces)
    assert not bench.work.faces._references


async def test_consent_is_recorded_with_its_text_and_can_be_withdrawn(bench: Bench) -> None:
    """The journal says who agreed to which words, and when they took it back; a new text needs a new yes."""
    await _begin(bench)
    await comparing.note_consent(bench.work, "A-0001", given=True)
    await comparing.note_consent(bench.work, "A-0001", given=True)
    await comparing.note_consent(bench.work, "A-0002", given=True)
    await _photograph(bench, 1, 1)
    await comparing.note_consent(bench.work, "A-0001", given=False)
    noted = [fact for fact in bench.journal.facts if isinstance(fact, facts.FaceConsent)]
    assert [(fact.given, fact.text) for fact in noted] == [(True, "1"), (True, "1"), (False, "1")]
    assert len(noted[0].text_sha256) == 64
    assert await _photograph(bench, 1, 2) == ()
    assert bench.students[0] not in Desk("A", bench.journal.facts).consents


async def test_a_seal_forgets_everybody(bench: Bench) -> None:
    """Whoever sits first in the next session is compared with nobody of the last."""
    await _begin(bench)
    for ticket in ("A-0001", "A-0002"):
        await comparing.note_consent(bench.work, ticket, given=True)
    await _photograph(bench, 1, 1)
    await sessions.seal(bench.work, 0)
    assert await _photograph(bench, 1, 2) == ()


def _traces(folder: Path, vector: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[Path]:
    """Files in which some numbers of a face stand: as floats of any kind, in base64, or written out."""
    numbers = vector[40:44].astype(np.float64)
    marks = [vector[40:44].tobytes(), numbers.tobytes(), struct.pack(">4f", *vector[40:44])]
    marks += [base64.b64encode(vector.tobytes())[216:240], f"{numbers[0]:.5f}".encode(), f"{numbers[1]:.5f}".encode()]
    return [path for path in folder.rglob("*") if path.is_file() and any(mark in path.read_bytes() for mark in marks)]


def _written(path: Path, what: bytes) -> bool:
    beside = path.with_name(f"{path.name}-wal")
    return any(what in file.read_bytes() for file in (path, beside) if file.exists())


class _Unsealed(crypto.Sealer):
    """Seals nothing: what would be hidden by a seal is to be seen."""

    def seal(self, plain: bytes, aad: bytes) -> bytes:
        return plain

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        return sealed


async def test_no_template_is_on_the_disk(bench: Bench, tmp_path: Path) -> None:
    """After a comparison with a real journal and spool, no file holds a number of any face. The search can find."""
    book = journal.SqliteJournal(tmp_path / "journal.sqlite", _Unsealed({"k": bytes(32)}, "k"))
    await book.open()
    bench.work.journal = book
    bench.work.spool = spool.FileSpool(tmp_path / "spool", crypto.Sealer({"k": bytes(32)}, "k"), 0)
    await _begin(bench)
    for ticket in ("A-0001", "A-0002"):
        await comparing.note_consent(bench.work, ticket, given=True)
    await _photograph(bench, 1, 1)
    (said,) = await _photograph(bench, 1, 2)
    await book.close()
    assert _written(tmp_path / "journal.sqlite", f"{said.similarity}".encode())
    vectors = [_vector(1, picture) for picture in (1, 2)]
    vectors += [vector / np.float32(np.linalg.norm(vector)) for vector in vectors]
    assert [_traces(tmp_path, vector) for vector in vectors] == [[]] * 4
    for number, kept in enumerate((vectors[2].tobytes(), repr(vectors[2].astype(float).tolist()).encode())):
        (tmp_path / f"kept-{number}").write_bytes(kept)
    assert len(_traces(tmp_path, vectors[2])) == 2


def test_a_face_refuses_to_be_stored() -> None:
    """It cannot be pickled, shows no number, and is nobody's once forgotten."""
    face, other = measured.Remembered(_vector(1, 1)), measured.Remembered(_vector(1, 2))
    with pytest.raises(TypeError, match="not stored"):
        pickle.dumps(face)
    assert repr(face) == "<a face>"
    assert face.cosine(other) > 0.8
    face.forget()
    assert face.cosine(other) == 0


def test_every_band_that_is_told_has_words() -> None:
    """And the words send a person to look; none of them refuses."""
    for (against, band), severity in sights.TELLING.items():
        assert messages.render(f"face-{against}-{band}", {})
        assert severity in ("warn", "info")


@pytest.fixture(scope="session")
def real() -> dict[str, measured.Remembered]:
    """Four real people, neutral and smiling."""
    found = {}
    for number in ("001", "030", "044", "119"):
        for mood in ("neutral", "smiling"):
            path = FACES / f"london_{number}_{mood}.jpg"
            if not path.exists():
                pytest.skip(NO_FACES)
            face = measured.remember(path.read_bytes())
            assert face is not None
            found[f"{number} {mood}"] = face
    return found


def test_real_faces_lie_in_their_bands(real: dict[str, measured.Remembered]) -> None:
    """One person smiling is likely the same; two people never are (the negative control)."""
    names = sorted({name.split()[0] for name in real})
    for one in names:
        for other in names:
            band = likeness(real[f"{one} neutral"].cosine(real[f"{other} smiling"]))
            assert (band == "likely") == (one == other), (one, other, band)
