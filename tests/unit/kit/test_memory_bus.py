"""The in-memory bus can be as unkind as a real one: repeats and disorder, drawn from a seed."""

from hypothesis import given
from hypothesis import strategies as st

from gradphoto_contracts.envelope import Envelope
from kit import memory
from tests.integration.bus import things


async def heard_of(bus: memory.MemoryBus, sent: list[Envelope]) -> list[Envelope]:
    """What the one hearer hears."""
    heard: list[Envelope] = []

    async def dispatch(envelope: Envelope) -> None:
        heard.append(envelope)

    bus.hear("one", dispatch)
    await bus.publish_window(sent)
    await bus.deliver()
    return heard


async def test_duplicates_and_disorder_lose_nothing() -> None:
    """Every message comes at least once, some twice, and not in order."""
    sent = [things.said("thing", version) for version in range(1, 101)]
    heard = await heard_of(memory.MemoryBus({"one": ["#"]}, duplicates=0.5, reorder=True, seed=1), sent)
    assert {one.id for one in heard} == {one.id for one in sent}
    assert len(heard) > len(sent)
    assert things.versions(heard, "thing") != sorted(things.versions(heard, "thing"))


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5))
def test_a_key_fits_itself_and_hash(words: list[str]) -> None:
    """A binding without wildcards fits its own key alone; `#` fits all; stars fit keys of their length."""
    assert memory.matches(words, words)
    assert memory.matches(["#"], words)
    assert memory.matches(["*"] * len(words), words)
    assert not memory.matches(["*"] * (len(words) + 1), words)
    assert memory.matches([words[0], "#"], words)
