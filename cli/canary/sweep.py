"""One look through all places of a stack, with leaks on purpose among them: without those, silence says nothing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cli.canary import leaks, search
from cli.canary.forms import Canary, Form, forms
from cli.canary.places import KINDS, Places

#: Whose leaks are made on purpose. Nobody of a roster is called so.
LEAKED = (Canary("name", "欧鼯鼫鼷"), Canary("id_number", "650102190002290013"))


@dataclass
class Report:
    """What was looked at, what was found, and which leaks on purpose were."""

    canaries: int = 0
    forms: int = 0
    looked: Counter[str] = field(default_factory=Counter)
    bytes_looked: Counter[str] = field(default_factory=Counter)
    hits: list[tuple[str, search.Hit]] = field(default_factory=list)
    control: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    #: Reasons with a planted name in them that were read back through the doors that show them, on record.
    told: int = 0

    @property
    def deaf(self) -> list[str]:
        """Kinds of places where a leak on purpose went unseen."""
        return [kind for kind in KINDS if not self.control[kind]]

    @property
    def holds(self) -> bool:
        """Nothing was found, no leak on purpose went unseen, and what was typed is there for who may read it."""
        return not self.hits and not self.deaf and self.told > 0


async def sweep(places: Places, desk: Path, canaries: Iterable[Canary], pieces: Iterable[Form] = ()) -> Report:
    """Look for all of them everywhere. `desk` is the folder of a station, `pieces` are known bytes of files."""
    wanted = list(canaries)
    look = search.Search([form for canary in (*wanted, *LEAKED) for form in forms(canary)] + list(pieces))
    found = Report(canaries=len(wanted), forms=look.forms)
    async with leaks.planted(places, desk, *LEAKED):
        async for thing in places.everything():
            found.looked[thing.kind] += 1
            found.bytes_looked[thing.kind] += len(thing.content)
            for hit in look.look(thing.place, thing.content):
                if hit.form.canary in LEAKED:
                    found.control[thing.kind] += 1
                else:
                    found.hits.append((thing.kind, hit))
    return found
