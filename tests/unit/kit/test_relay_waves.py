"""Waves: one event of a subject under way at a time."""

from hypothesis import given
from hypothesis import strategies as st

from kit import outbox

ROWS = st.lists(st.text("abc", min_size=1, max_size=1)).map(lambda keys: list(enumerate(keys)))


@given(ROWS)
def test_waves_keep_everything_and_the_order_of_each_subject(rows: list[tuple[int, str]]) -> None:
    """No row is lost or doubled, no subject is twice in a wave, and its rows come in their order."""
    found = outbox.waves(rows, key=lambda row: row[1])
    flat = [row for wave in found for row in wave]
    assert sorted(flat) == rows
    for wave in found:
        assert len({key for _, key in wave}) == len(wave)
    for subject in "abc":
        assert [row for row in flat if row[1] == subject] == [row for row in rows if row[1] == subject]


def test_different_subjects_are_one_wave() -> None:
    """The usual window goes out at once."""
    assert len(outbox.waves(range(200), key=str)) == 1
