"""Problems and their words."""

import pytest

from kit import errors, messages


def test_a_problem_is_a_code_with_parameters() -> None:
    """Code and parameters are what is logged and rendered."""
    problem = errors.Conflict("original-kept", key="originals/x")
    assert (problem.code, dict(problem.params), problem.status) == ("original-kept", {"key": "originals/x"}, 409)
    assert str(problem) == "original-kept key=originals/x"


def test_invalid_names_its_rows() -> None:
    """A refused file says which rows are at fault."""
    assert errors.Invalid("malformed-request", rows=[{"row": 3}], count=1).rows == [{"row": 3}]
    assert errors.Invalid("malformed-request", count=1).rows == []


def test_statuses_are_told_apart() -> None:
    """Each kind of problem has a status of its own."""
    kinds: list[type[errors.Problem]] = [
        *(errors.Invalid, errors.Unauthenticated, errors.Refused),
        *(errors.NotFound, errors.Conflict, errors.Unavailable, errors.Problem),
    ]
    assert [kind.status for kind in kinds] == [422, 401, 403, 404, 409, 503, 500]


def test_words_are_rendered_in_both_languages() -> None:
    """Chinese first, then English, with the parameters in both."""
    zh, en = messages.render("object-missing", {"key": "photos/1"})
    assert "photos/1" in zh
    assert "photos/1" in en


def test_unknown_codes_and_missing_parameters_are_errors() -> None:
    """Words are never made up."""
    with pytest.raises(messages.UnknownCode):
        messages.render("no-such-code", {})
    with pytest.raises(KeyError):
        messages.render("object-missing", {})
