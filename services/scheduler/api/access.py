"""Who may see what of a plan: a token's scope, class by class."""

from uuid import UUID

from kit import auth


def sees_all(who: auth.Principal) -> bool:
    """Whether nothing narrower than campaigns narrows this person's scope."""
    return not set(who.scope) - {"campaign"}


def sees_class(who: auth.Principal, class_id: UUID, college_zh: str, campus_id: UUID | None) -> bool:
    """Whether a class lies inside this person's scope."""
    of = {"class": str(class_id), "college": college_zh, "campus": str(campus_id)}
    return all(value in who.scope.get(dimension, (value,)) for dimension, value in of.items())
