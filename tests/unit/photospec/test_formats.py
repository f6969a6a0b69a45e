"""Every kind of picture file: refused by its own name, or judged like the plain photo that it holds."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photospec import decoding, inspection, profiles, refusals
from tests.unit.photospec import formats, nasty

OTHERS = formats.others()
RICH = formats.rich()
PLACES = formats.places(RICH)


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_jpeg_is_refused_by_its_own_name(name: str) -> None:
    """Before a pixel is decoded, in Chinese first, with what to do."""
    data, code = OTHERS[name]
    with pytest.raises(decoding.UnreadableImage) as refused:
        decoding.check(data)
    assert refused.value.code == code
    assert str(refused.value) == f"{refusals.ALL[code].reason_zh} · {refusals.ALL[code].reason_en}"


def test_every_refusal_is_tried() -> None:
    """No refusal is without a file that brings it about, here or in the command's tests."""
    elsewhere = {"damaged", "undecodable", "too_many_bytes", "unopenable", "not_a_file", "gave_up"}
    tried = {code for _, code in [*nasty.files().values(), *OTHERS.values()]}
    assert tried | elsewhere == set(refusals.ALL)


def test_odd_jpegs_are_judged_like_the_plain_one(portrait: bytes, blue: profiles.Profile) -> None:
    """Progressive, with restarts, finer or coarser colours, more behind or inside: the photo is the same."""
    said = {name: inspection.inspect(data, blue).verdict for name, data in formats.jpegs(portrait).items()}
    assert said == dict.fromkeys(said, "accept")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mark_of_how_the_camera_was_held_is_obeyed_once(orientation: int, portrait: bytes) -> None:
    """The first Exif block counts; one that contradicts it, or a broken one, changes nothing."""
    told = nasty.turned(portrait, orientation)
    doubled = nasty.turned(nasty.turned(portrait, 9 - orientation), orientation)
    one, other = (decoding.decode(data, decoding.check(data), 8).pixels for data in (told, doubled))
    assert (one == other).all()
    assert (one.shape[0] > one.shape[1]) == (orientation < 5)


def test_a_file_cut_at_any_marker_is_refused() -> None:
    """Before, inside and after each kind of them: malformed or truncated, nothing else."""
    kinds: dict[int, list[int]] = {}
    for at in PLACES[1:]:
        kinds.setdefault(RICH[at + 1], []).append(at)
    assert set(kinds) >= {0xE0, 0xE1, 0xE2, 0xDB, 0xC2, 0xC4, 0xDD, 0xDA, 0xD0, 0xD7, 0xD9}
    codes = set()
    for at in (at for places in kinds.values() for at in (places[0], places[-1])):
        for kept in (at, at + 1, at + 2, at + 3):
            if not 3 <= kept < len(RICH) - 1:
                continue
            with pytest.raises(decoding.UnreadableImage) as refused:
                decoding.check(RICH[:kept])
            codes.add(refused.value.code)
    assert codes == {"malformed", "truncated"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.sampled_from(PLACES),
    offset=st.integers(0, 8),
    written=st.binary(min_size=1, max_size=6),
    closed=st.booleans(),
)
def test_a_lying_segment_is_judged_or_refused(
    place: int, offset: int, written: bytes, closed: bool, blue: profiles.Profile
) -> None:
    """Lengths, counts and numbers of components beside any marker, changed at will."""
    spoilt = bytearray(RICH)
    spoilt[place + offset : place + offset + len(written)] = written
    data = bytes(spoilt) + (b"\xff\xd9" if closed else b"")
    with contextlib.suppress(decoding.UnreadableImage):
        assert inspection.inspect(data, blue).verdict == "reject"


@pytest.mark.thorough
@settings(max_examples=4000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(
        st.binary(max_size=2000),
        st.sampled_from([data for data, _ in OTHERS.values()]),
        st.sampled_from([data for data, _ in nasty.files().values() if len(data) < 100_000]),
        st.just(RICH),
    ),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=24)), max_size=6),
    kept=st.floats(0, 1),
    as_jpeg=st.booleans(),
)
def test_no_bytes_whatever_do_harm(
    data: bytes, cuts: list[tuple[float, bytes]], kept: float, as_jpeg: bool, blue: profiles.Profile
) -> None:
    """Thousands of files of every kind, spliced and cut: a report or the one refusal."""
    spoilt = bytearray(data[: max(4, int(len(data) * kept))])
    for place, written in cuts:
        at = int(place * len(spoilt))
        spoilt[at : at + len(written)] = written
    begun = b"\xff\xd8\xff" + bytes(spoilt[3:]) if as_jpeg else bytes(spoilt)
    with contextlib.suppress(decoding.UnreadableImage):
        assert inspection.inspect(begun, blue).verdict == "reject"
