"""Whether linear inequalities can hold together: Fourier-Motzkin elimination over exact fractions."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

#: Σ coefficient · variable ≤ bound.
Inequality = tuple[dict[str, Fraction], Fraction]


def at_most(terms: Mapping[str, float], bound: float) -> Inequality:
    """Σ coefficient · variable ≤ bound."""
    return {name: Fraction(str(factor)) for name, factor in terms.items()}, Fraction(str(bound))


def at_least(terms: Mapping[str, float], bound: float) -> Inequality:
    """Σ coefficient · variable ≥ bound."""
    return at_most({name: -factor for name, factor in terms.items()}, -bound)


def feasible(inequalities: Iterable[Inequality]) -> bool:
    """Whether some real values of the variables keep all of them."""
    left = list(inequalities)
    while variables := {name for terms, _ in left for name in terms}:
        name = min(variables, key=lambda name: (_products(left, name), name))
        left = _without(left, name)
    return all(bound >= 0 for _, bound in left)


def about(inequalities: Iterable[Inequality], names: Iterable[str]) -> list[Inequality]:
    """Those that bear on the named variables, be it through others."""
    left, known = list(inequalities), set(names)
    while True:
        bearing = [one for one in left if known & set(one[0])]
        reached = known.union(*(one[0] for one in bearing))
        if reached == known:
            return bearing
        known = reached


def _products(inequalities: list[Inequality], name: str) -> int:
    signs = [terms[name] > 0 for terms, _ in inequalities if name in terms]
    return sum(signs) * (len(signs) - sum(signs))


def _without(inequalities: list[Inequality], name: str) -> list[Inequality]:
    """The same set of solutions seen without one variable: each upper bound on it above each lower bound."""
    above = [one for one in inequalities if one[0].get(name, 0) > 0]
    below = [one for one in inequalities if one[0].get(name, 0) < 0]
    rest = [one for one in inequalities if name not in one[0]]
    return rest + [_sum(upper, lower, name) for upper in above for lower in below]


def _sum(upper: Inequality, lower: Inequality, name: str) -> Inequality:
    a, b = 1 / upper[0][name], -1 / lower[0][name]
    terms = {
        key: a * upper[0].get(key, Fraction(0)) + b * lower[0].get(key, Fraction(0)) for key in upper[0] | lower[0]
    }
    return {key: factor for key, factor in terms.items() if factor}, a * upper[1] + b * lower[1]
