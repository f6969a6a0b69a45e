"""The figures of a desk in its hall."""

from kit import metrics

_PLACE = ("campus", "desk")

HUB = metrics.gauge("gradphoto_hall_hub", "1 while this desk is hub of its hall", _PLACE)
TERM = metrics.gauge("gradphoto_hall_term", "The term that holds, as this desk knows it", _PLACE)
PEERS = metrics.gauge("gradphoto_hall_peers_heard", "Other desks of the hall that were heard lately", _PLACE)
MEMBERS = metrics.gauge("gradphoto_hall_peers_listed", "Other desks of the hall, by the server's list", _PLACE)
SPLIT = metrics.gauge("gradphoto_hall_split", "1 while this desk takes students without the hub's word", _PLACE)
DOUBLES = metrics.gauge("gradphoto_hall_doubles", "Students whom two desks took, as this desk knows it", _PLACE)
APART = metrics.counter("gradphoto_hall_apart_total", "Check-ins and calls that no hub granted", (*_PLACE, "subject"))
TAKEOVERS = metrics.counter("gradphoto_hall_takeovers_total", "Times that this desk became hub", _PLACE)
EXCHANGES = metrics.counter(
    "gradphoto_hall_exchanges_total", "Exchanges with other desks that this desk began", (*_PLACE, "outcome")
)
RELAYED = metrics.counter(
    "gradphoto_hall_relayed_total", "Requests of other desks that this desk handed on to the hub", _PLACE
)
TRIMMED = metrics.counter("gradphoto_hall_trimmed_total", "Entries of the hall's logs that were trimmed here", _PLACE)
ENTRIES = metrics.gauge("gradphoto_hall_entries", "Entries of the hall's logs on this desk's disk", _PLACE)
WAITED = metrics.histogram(
    "gradphoto_hall_grant_seconds", "From asking the hall to its answer, takeovers included", (*_PLACE, "subject"),
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)  # fmt: skip


class Figures:
    """What one desk reports under its labels."""

    def __init__(self, campus: str, desk: str) -> None:
        self._labels = {"campus": campus, "desk": desk}
        TAKEOVERS.labels(**self._labels)  # 0 before the first one, which would be no increase otherwise

    def stands(self, *, hub: bool, split: bool, term: int, heard: int, listed: int, doubles: int, entries: int) -> None:
        """How the desk stands in its hall now."""
        values = (
            *((HUB, hub), (SPLIT, split), (TERM, term), (PEERS, heard), (MEMBERS, listed), (DOUBLES, doubles)),
            (ENTRIES, entries),
        )
        for gauge, value in values:
            gauge.labels(**self._labels).set(value)

    def took_over(self) -> None:
        """This desk became hub."""
        TAKEOVERS.labels(**self._labels).inc()

    def apart(self, subject: str) -> None:
        """A grant that no hub gave."""
        APART.labels(**self._labels, subject=subject).inc()

    def relayed(self) -> None:
        """A request of another desk was handed on."""
        RELAYED.labels(**self._labels).inc()

    def trimmed(self, count: int) -> None:
        """So many entries were forgotten."""
        TRIMMED.labels(**self._labels).inc(count)

    def exchanged(self, outcome: str) -> None:
        """One exchange, begun here."""
        EXCHANGES.labels(**self._labels, outcome=outcome).inc()

    def waited(self, subject: str, seconds: float) -> None:
        """How long the hall took to answer."""
        WAITED.labels(**self._labels, subject=subject).observe(seconds)
