"""Faces compared, where the campaign's policy and the student's recorded consent allow it. It never refuses a photo."""

import hashlib
import time
from dataclasses import replace

from gradphoto_contracts import ids
from kit import messages
from kit.errors import Conflict, NotFound
from station.domain import facts, outgoing, rules
from station.handlers import recording
from station.ports import workplace


def consent_text(work: workplace.Work) -> messages.Words | None:
    """What a student consents to; None where the campaign compares no faces, or by a text that this desk lacks."""
    version = work.packs.current().photo.face_consent
    return messages.catalogue().get(f"face-consent-{version}") if version and work.faces else None


async def note_consent(work: workplace.Work, ticket: str, *, given: bool) -> None:
    """The holder of the ticket has consented to the text, or has withdrawn. Again changes nothing."""
    async with work.lock:
        text, version = consent_text(work), work.packs.current().photo.face_consent
        if text is None or work.faces is None:
            raise Conflict("desk-faces-off")
        if ticket not in work.desk.tickets:
            raise NotFound("desk-ticket-unknown", ticket=ticket)
        digest = hashlib.sha256(f"{text.zh}\n{text.en}".encode()).hexdigest()
        noted = rules.note_consent(work.desk, ticket, version, digest, work.clock.now(), given=given)
        await recording.record(work, [_signed(work, fact) for fact in noted])
        if not given:
            work.faces.drop(ticket)
            work.faces.forget()


async def expect(work: workplace.Work, ticket: str, picture: bytes) -> bool:
    """Hold a reference picture's face for the holder of the ticket, who has consented. False: no face in it."""
    if ticket not in work.desk.tickets:
        raise NotFound("desk-ticket-unknown", ticket=ticket)
    if work.faces is None or not _allowed(work, work.desk.tickets[ticket].student_id):
        raise Conflict("desk-faces-off")
    return await work.faces.expect(ticket, picture)


async def look(work: workplace.Work, frame: facts.FrameJournalled, jpeg: bytes) -> None:
    """Compare the frame's face with what is remembered, and note how alike they are."""
    if work.faces is None or frame.ticket is None or frame.student_id is None:
        return
    if not _allowed(work, frame.student_id):
        work.faces.forget()
        return
    began = time.perf_counter()
    found = await work.faces.compare(frame.ticket, jpeg)
    work.compared_in(time.perf_counter() - began)
    if not _allowed(work, frame.student_id):  # withdrawn while we looked
        work.faces.forget()
        return
    async with work.lock:
        for against, similarity in found.items():
            compared = facts.FaceCompared(frame.capture_id, against, round(similarity, 3), work.clock.now())
            await recording.record(work, rules.compare(work.desk, compared, work.new_id))


def _signed(work: workplace.Work, fact: facts.FaceConsent) -> facts.FaceConsent:
    """Under its own id, with the station's signature: what the server keeps, and can show."""
    consent_id = work.new_id()
    signature = work.sign_consent(consent_id, outgoing.consent_document(fact))
    return replace(fact, consent_id=consent_id, signature=signature)


def _allowed(work: workplace.Work, student_id: ids.StudentId) -> bool:
    """Policy and person: both must say yes, to the text that is in force."""
    version = work.packs.current().photo.face_consent
    return consent_text(work) is not None and work.desk.consents.get(student_id) == version
