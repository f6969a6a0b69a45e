"""The five notices' rules of 图像校对 and 补拍, played through time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradphoto_contracts import verify
from kit import errors
from services.verify.domain import answers, chsi, clocks, copies, journey, makeups, told
from tests.unit.verify import cases
from tests.unit.verify.cases import S0, S2, S3, History, at


def shown(campaign: copies.Campaign, shutter: str, published: str) -> History:
    return History(campaign).enrol().photograph(shutter).deliver().publish(published)


# S0: 2017-11-01 … 2018-03-15 proofreading, 03-15 … 03-30 reporting, silence = correct.


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2017-10-31 23:59:59", False),
        ("2017-11-01 00:00:00", True),
        ("2018-03-15 23:59:59", True),
        ("2018-03-16 00:00:00", False),
    ],
)
def test_s0_proofreading_is_open_on_whole_days(moment: str, open_: bool) -> None:
    """Both printed days belong to the window, in the school's time."""
    history = shown(S0, "2017-05-27 10:00", "2017-07-20")
    if open_:
        history.do(answers.confirm, at(moment))
        assert history.case.state == "confirmed"
    else:
        with pytest.raises(errors.Conflict, match="verify-proofreading-not-open") as refused:
            history.do(answers.confirm, at(moment))
        assert refused.value.params == {"first_day": "2017-11-01", "last_day": "2018-03-15"}


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2018-03-14 23:59:59", False),
        ("2018-03-15 00:00:00", True),
        ("2018-03-30 23:59:59", True),
        ("2018-03-31 00:00:00", False),
    ],
)
def test_s0_errors_are_taken_in_their_own_window(moment: str, open_: bool) -> None:
    """核对有误应于 3 月 15 日至 3 月 30 日登记: not before, not after."""
    history = shown(S0, "2017-05-27 10:00", "2017-07-20")
    if open_:
        history.do(answers.dispute, "wrong_person", at(moment))
        assert history.case.state == "disputed"
    else:
        with pytest.raises(errors.Conflict, match="verify-reporting-not-open"):
            history.do(answers.dispute, "wrong_person", at(moment))


def test_s0_silence_is_agreement() -> None:
    """逾期未登记有误的将默认为核对无误: nothing happens on 30 March, and the case is closed when it is over."""
    history = shown(S0, "2017-05-27 10:00", "2017-07-20").wait_until("2018-03-30 23:59:59")
    assert (history.case.state, history.case.deadline) == ("published", "reporting")
    history.wait_until("2018-03-31")
    assert (history.case.state, history.case.deadline, history.case.due_at) == ("defaulted", None, None)
    (last,) = [event for event in history.said if isinstance(event, verify.PhotoDefaultedV1)]
    assert last.outcome == "deemed_correct"
    assert history.outcomes == ["publish: published", "proofreading: silent", "reporting: deemed_correct"]


def test_s0_one_jump_over_all_windows_ends_the_same() -> None:
    """A clock that jumps past both windows at once gives the same outcomes as one that ticks."""
    slow = shown(S0, "2017-05-27 10:00", "2017-07-20").wait_until("2018-03-20").wait_until("2018-04-01")
    fast = shown(S0, "2017-05-27 10:00", "2017-07-20").wait_until("2018-04-01")
    assert (slow.case, slow.outcomes) == (fast.case, fast.outcomes)


def test_s0_missed_student_has_until_november() -> None:
    """请假学生在 2017 年 11 月前自行补拍: booked and done in time, or expired when October is over."""
    missed = History(S0).enrol().do(told.miss, at("2017-06-05 12:30"))
    assert (missed.case.state, missed.case.due_at) == ("makeup_required", at("2017-11-01"))
    assert missed.names == ["MakeupRequiredV1"]
    booked = History(S0, missed.case).do(makeups.book, "新华社陕西分社", at("2017-10-31 20:00"))
    assert booked.do(makeups.finish_makeup).case.state == "makeup_done"
    assert missed.wait_until("2017-11-01").case.state == "makeup_expired"
    assert missed.outcomes == ["makeup: makeup_expired"]
    with pytest.raises(errors.Conflict, match="verify-no-makeup-now"):
        missed.do(makeups.book, "新华社陕西分社", at("2017-11-02"))


def test_makeup_place_must_be_one_that_policy_names() -> None:
    """A booking elsewhere is refused with the list of places."""
    missed = History(S0).enrol().do(told.miss, at("2017-06-05 12:30"))
    with pytest.raises(errors.Invalid, match="verify-makeup-place-unknown"):
        missed.do(makeups.book, "照相馆", at("2017-07-01"))


# S2: 40 days after capture, one chance, look again a week later.


def test_s2_window_counts_from_the_day_of_capture() -> None:
    """Captured in the evening of 1 November, proofreading opens 40 days later at midnight of the school's time."""
    history = shown(S2, "2017-11-01 20:00", "2017-11-20")
    with pytest.raises(errors.Conflict, match="verify-proofreading-not-open"):
        history.do(answers.confirm, at("2017-12-10 23:59:59"))
    assert history.do(answers.confirm, at("2017-12-11")).case.state == "confirmed"


def test_s2_has_one_chance() -> None:
    """学生校对信息机会只有一次: a second answer is refused, also the same one."""
    history = shown(S2, "2017-11-01 10:00", "2017-11-20").do(answers.confirm, at("2017-12-12"))
    with pytest.raises(errors.Conflict, match="verify-one-chance-used"):
        history.do(answers.confirm, at("2017-12-13"))
    with pytest.raises(errors.Conflict, match="verify-one-chance-used"):
        history.do(answers.dispute, "bad_photo", at("2017-12-13"))


def test_s2_error_must_show_corrected_after_a_week_or_goes_to_the_college() -> None:
    """提交一周后…仍不正确…和所在学院联系: the registrar has a week, then the secretary one; then it is overdue."""
    history = shown(S2, "2017-11-01 10:00", "2017-11-20").do(answers.dispute, "wrong_data", at("2017-12-12 15:00"))
    assert (history.case.due_at, clocks.owner(history.case)) == (at("2017-12-20"), "registrar")
    corrected = History(S2, history.case).do(answers.correct)
    assert (corrected.case.state, corrected.outcomes) == ("corrected", ["recheck: corrected"])
    history.wait_until("2017-12-20")
    assert (history.case.due_at, clocks.owner(history.case)) == (at("2017-12-27"), "secretary")
    assert [e.owner for e in history.said if isinstance(e, verify.PhotoDisputedV1)] == ["registrar", "secretary"]
    history.wait_until("2017-12-27")
    assert (history.case.state, history.case.deadline) == ("disputed", None)
    assert history.outcomes[-2:] == ["recheck: escalated", "recheck: overdue"]
    assert history.do(answers.correct).case.state == "corrected"


def test_s2_silence_has_no_effect() -> None:
    """Where the notice does not say that silence agrees, it does not."""
    history = shown(S2, "2017-11-01 10:00", "2017-11-20").wait_until("2018-01-10")
    assert (history.case.state, history.case.outcome) == ("defaulted", "no_effect")


# What CHSI says.


def test_late_at_chsi_is_overdue_and_at_last_a_dispute() -> None:
    """Not shown within the promised days is overdue; not shown when proofreading is over is the school's to settle."""
    history = History(S0).enrol().photograph("2017-05-27 10:00").deliver()
    assert history.case.due_at == at("2017-07-27")
    history.wait_until("2017-07-27")
    assert (history.case.state, history.case.overdue, history.case.due_at) == ("delivered", True, at("2018-03-31"))
    late = History(S0, history.case).publish("2017-11-01 09:00")
    assert (late.case.state, late.case.deadline) == ("published", "proofreading")
    history.wait_until("2018-03-31")
    assert (history.case.state, history.case.cause) == ("disputed", "not_shown")
    assert history.publish("2018-04-02").case.state == "corrected"


def test_photo_shown_after_the_window_gets_a_week() -> None:
    """Nobody is called silent who had nothing to look at."""
    history = History(S2).enrol().photograph("2017-11-01 10:00").deliver()
    history.publish("2018-01-09 12:00")
    assert history.case.due_at == at("2018-01-10")
    later = History(S2).enrol().photograph("2017-11-01 10:00").deliver().publish("2018-01-15 12:00")
    assert later.case.due_at == at("2018-01-23")
    assert later.do(answers.confirm, at("2018-01-22 12:00")).case.state == "confirmed"


def test_sent_back_photo_needs_a_makeup() -> None:
    """退回 is a dispute, and a make-up where policy offers one; the new photo goes the whole way again."""
    history = History(S2).enrol().photograph("2017-11-01 10:00").deliver().do(chsi.refuse, at("2017-11-20"))
    assert history.names == ["PhotoDisputedV1", "MakeupRequiredV1"]
    assert (history.case.state, history.case.cause) == ("makeup_required", "refused_by_chsi")
    history.photograph("2018-04-14 10:00", number=2)
    assert (history.case.state, history.case.deadline) == ("makeup_done", "publish")
    assert history.deliver().publish("2018-05-01").case.state == "published"


def test_sent_back_after_the_makeup_window_has_no_more_chance() -> None:
    """When the make-up is over, or there is none, a sent-back photo ends the case, and says so."""
    late = History(S0).enrol().photograph("2017-05-27 10:00").deliver().do(chsi.refuse, at("2017-11-01 09:00"))
    assert late.case.state == "makeup_expired"
    none = History(S3).enrol().photograph("2019-10-28 10:00").deliver().do(chsi.refuse, at("2019-12-01"))
    assert none.case.state == "no_makeup"


def test_makeup_on_paper_after_a_refusal_ends_the_case() -> None:
    """The branch's papers close the case; the refused photo is not waited for at CHSI."""
    history = History(S2).enrol().photograph("2017-11-01 10:00").deliver().do(chsi.refuse, at("2017-11-20"))
    history.do(makeups.book, "甘肃中医药大学", at("2018-04-14")).do(makeups.finish_makeup)
    assert (history.case.state, history.case.deadline) == ("makeup_done", None)


# Photos that come, move and go.


def test_missed_without_makeup_is_said_so() -> None:
    """S3: 今年不再安排补照. The student is on record as having none, and a photo that comes all the same is taken."""
    history = History(S3).enrol().do(told.miss, at("2019-10-28 12:00"))
    assert (history.case.state, history.names) == ("no_makeup", [])
    assert history.photograph("2019-10-30 10:00").case.state == "makeup_done"


def test_missed_before_the_policy_is_known() -> None:
    """What scheduler says before the campaign has arrived is kept, and settled by the policy when it comes."""
    history = History(S0)
    history.take(told.miss(history.case, at("2017-06-05"), None))
    assert (history.case.state, history.case.missed) == ("enrolled", True)
    assert history.do(told.revise, at("2017-06-06")).case.state == "makeup_required"


def test_photo_before_the_miss_wins() -> None:
    """Word of an absence that comes after the photo changes nothing that matters."""
    history = History(S0).photograph("2017-06-05 11:00").enrol().do(told.miss, at("2017-06-05 12:30"))
    assert (history.case.state, history.names) == ("photographed", [])


def test_lost_photo_calls_for_a_makeup_after_a_day() -> None:
    """A withdrawn photo may be taken again at once; a day later a make-up is called for: nobody is forgotten."""
    history = History(S0).enrol().photograph("2017-06-05 11:00")
    history.do(told.see_photo, None, at("2017-06-05 11:05"))
    again = History(S0, history.case).photograph("2017-06-05 11:10", number=2).wait_until("2017-06-07")
    assert (again.case.state, again.names) == ("photographed", [])
    states = [history.wait_until(moment).case.state for moment in ("2017-06-06 11:04", "2017-06-06 11:05")]
    assert states == ["enrolled", "makeup_required"]


def test_disputed_case_with_new_photo_is_corrected_when_shown() -> None:
    """A wrong person's photo is rebound, delivered anew, and the dispute ends when CHSI shows the right one."""
    history = shown(S0, "2017-05-27 10:00", "2017-07-20").do(answers.dispute, "wrong_person", at("2018-03-16"))
    history.photograph("2017-05-27 10:01", number=2)
    assert history.case.state == "disputed"
    history.deliver().publish("2018-03-20")
    assert history.names[-2:] == ["PhotoPublishedV1", "PhotoCorrectedV1"]


def test_withdrawn_student_owes_nothing_and_may_come_back() -> None:
    """Off the roster nothing is due; back on it, the case goes on where the photo stands."""
    history = History(S0).enrol().photograph("2017-05-27 10:00").deliver()
    history.do(told.place, copies.Student(2, withdrawn=True), cases.CLASS)
    assert (history.case.state, history.case.deadline) == ("withdrawn", None)
    assert history.enrol(3).case.state == "delivered"
    assert history.enrol(2).case.student.version == 3


def test_not_eligible_student_is_not_missed() -> None:
    """Who is not photographed here has no deadline."""
    history = History(S0).enrol(eligible=False)
    assert history.case.state == "not_eligible"
    assert history.enrol(2).case.state == "enrolled"


@pytest.mark.parametrize("state", ["enrolled", "photographed", "delivered", "defaulted", "makeup_required"])
def test_answers_need_something_to_answer(state: journey.State) -> None:
    """Without a picture at CHSI nobody can say 正确 or 有误."""
    case = replace(History(S0).enrol().case, state=state)
    with pytest.raises(errors.Conflict, match="verify-nothing-to-answer"):
        answers.confirm(case, at("2017-11-02"), S0)
    with pytest.raises(errors.Conflict, match="verify-nothing-to-answer"):
        answers.dispute(case, "bad_photo", at("2018-03-16"), S0)


# Whatever happens.

ACTS = ["photo", "other_photo", "no_photo", "miss", "deliver", "publish", "refuse", "confirm", "dispute", "correct"]
ACTS += ["book", "finish", "withdraw", "enrol"]


def _act(history: History, act: str, day: int, version: int) -> None:
    now = at("2017-11-01 10:00") + timedelta(days=day)
    match act:
        case "photo" | "other_photo":
            history.do(told.see_photo, cases.photo(1 + (act == "other_photo"), "2017-11-01 10:00"), now)
        case "no_photo":
            history.do(told.see_photo, None, now)
        case "miss":
            history.do(told.miss, now)
        case "deliver" if history.case.capture_id:
            history.deliver()
        case "publish" | "refuse" | "confirm":
            history.do({"publish": chsi.publish, "refuse": chsi.refuse, "confirm": answers.confirm}[act], now)
        case "dispute":
            history.do(answers.dispute, "bad_photo", now)
        case "correct":
            history.do(answers.correct)
        case "book":
            history.do(makeups.book, S0.makeup.places_zh[0], now)
        case "finish":
            history.do(makeups.finish_makeup)
        case "withdraw" | "enrol":
            history.do(told.place, copies.Student(version, withdrawn=act == "withdraw"), cases.CLASS)


@given(
    st.sampled_from([S0, S2, S3]),
    st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 40)), max_size=14),
)
def test_every_deadline_has_an_outcome(campaign: copies.Campaign, acts: list[tuple[str, int]]) -> None:
    """Whatever happened, once all time has passed no case waits; versions only grow; a case waits for what is due."""
    history, day = History(campaign), 0
    for version, (act, later) in enumerate(acts, start=1):
        day += later
        before = history.case
        try:
            _act(history, act, day, version)
        except errors.Problem:
            assert history.case == before
        assert history.case.version >= before.version
        assert (history.case.deadline, history.case.due_at) == clocks.due(history.case, campaign)
        history.wait_until(str((at("2017-11-01 10:00") + timedelta(days=day)).replace(tzinfo=None)))
    # What the passing of one deadline opens (a dispute, its escalation) runs from then on.
    for later_year in ("2030-01-01", "2031-01-01", "2032-01-01"):
        history.wait_until(later_year)
    assert history.case.due_at is None
    assert history.case.state not in ("photographed", "delivered", "published", "makeup_booked", "makeup_required")
    versions = [event.version for event in history.said]
    assert versions == sorted(set(versions))


@given(st.sampled_from([S0, S2, S3]), st.lists(st.sampled_from(ACTS), max_size=8))
def test_a_step_taken_twice_is_taken_once(campaign: copies.Campaign, acts: list[str]) -> None:
    """Facts from other services and from CHSI change a case once, however often they come."""
    history = History(campaign)
    for version, act in enumerate(acts, start=1):
        try:
            _act(history, act, 0, version)
            if act in ("photo", "no_photo", "deliver", "publish", "refuse", "enrol", "withdraw", "miss"):
                once = history.case
                _act(history, act, 0, version)
                assert history.case == once
        except errors.Problem:
            continue
