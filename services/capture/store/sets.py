"""Sets of students that several questions ask about.

They are uncorrelated on purpose: PostgreSQL then hashes each once, whatever it believes about the tables' sizes. On the
first morning they have grown from nothing, and no statistics are there to choose a join by.
"""

import sqlalchemy as sa

from gradphoto_contracts import ids
from services.capture import store

CAPTURES, CHECKINS, STUDENTS = store.CAPTURES, store.CHECKINS, store.STUDENTS


def photographed(campaign_id: ids.CampaignId) -> sa.ColumnElement[bool]:
    """Whether a student has a photo in force."""
    in_force = sa.and_(CAPTURES.c.campaign_id == campaign_id, CAPTURES.c.state == "accepted")
    return STUDENTS.c.student_id.in_(
        sa.select(CAPTURES.c.student_id).where(in_force, CAPTURES.c.student_id.is_not(None))
    )


def checked_in(campaign_id: ids.CampaignId) -> sa.ColumnElement[bool]:
    """Whether a student has checked in."""
    return STUDENTS.c.student_id.in_(sa.select(CHECKINS.c.student_id).where(CHECKINS.c.campaign_id == campaign_id))
