"""Identity cards: the text file in all kinds, the frames on the line, and that nothing of it is ever told."""

import traceback
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.ports import hardware
from station.readers import documents, protocol, simulator


@pytest.mark.parametrize("kind", simulator.INVENTED)
def test_every_kind_of_card_is_read(kind: documents.Kind) -> None:
    """Number, name and expiry, from where each kind has them."""
    number, name = simulator.INVENTED[kind]
    document = documents.read(documents.written(kind, number, name, "20361231"))
    assert (document.kind, document.number, document.name, document.expires) == (kind, number, name, date(2036, 12, 31))


def test_a_card_for_life_never_expires() -> None:
    """长期 stands where others have a date."""
    number, name = simulator.INVENTED["resident"]
    document = documents.read(documents.written("resident", number, name, "长期"))
    assert document.expires is None
    assert not document.expired(date(2099, 1, 1))
    assert documents.read(documents.written("resident", number, name, "20200101")).expired(date(2024, 3, 20))


def test_a_text_file_as_a_reader_gives_it() -> None:
    """Byte for byte as GA/T 490 has a resident's card: the places are not those of our own writer alone."""
    fields = ("试验甲".ljust(15), "1", "01", "19990110", "某省某市某路一号".ljust(35), "440308199901101512")
    text = "".join((*fields, "某市公安局".ljust(15), "20200101", "20400101", " " * 18)).encode("utf-16-le")
    document = documents.read(text)
    assert (document.kind, document.number, document.name) == ("resident", "440308199901101512", "试验甲")
    assert document.expires == date(2040, 1, 1)


def test_a_permanent_resident_s_card_of_2017_as_a_reader_gives_it() -> None:
    """English name first, the type at byte 248."""
    fields = ("TESTER, ANN".ljust(60), "2", "ABC123456789012", "CAN", "试验丙".ljust(15), "20200101", "20300101")
    text = "".join((*fields, "19810803", "02", "1500", "I", "   ")).encode("utf-16-le")
    document = documents.read(text)
    assert (document.kind, document.number, document.name) == ("permanent_2017", "ABC123456789012", "试验丙")
    assert document.expires == date(2030, 1, 1)


@pytest.mark.parametrize("number", ["360426199101010071", "120103198806018241", "230306196304054513"])
def test_right_check_digits(number: str) -> None:
    """The vectors of the standard's users."""
    assert documents.checked(number)


@pytest.mark.parametrize("number", ["360426199101010072", "230307196304054513"])
def test_wrong_check_digits_are_refused_and_not_told(number: str) -> None:
    """A card whose number is wrong is no card; the error carries nothing of it."""
    with pytest.raises(documents.NotACard) as refused:
        documents.read(documents.written("resident", number, "试验甲", "20361231"))
    assert number not in "".join(traceback.format_exception(refused.value))
    assert "试验甲" not in repr(refused.value)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    """No text crashes the reader."""
    try:
        documents.read(text)
    except documents.NotACard:
        return


def test_what_a_card_says_is_in_no_repr() -> None:
    """Neither the document nor the scan nor the answer on the line shows its holder."""
    number, name = simulator.INVENTED["resident"]
    text = documents.written("resident", number, name, "20361231")
    document = documents.read(text)
    answer = protocol.parse(protocol.answer(protocol.OK, text))
    scan = hardware.Scan("id_card", number, name, document.expires)
    shown = f"{document!r} {document} {answer!r} {scan!r} {scan}"
    assert number not in shown
    assert name not in shown
    assert "2036" not in shown


def test_commands_are_those_of_the_field() -> None:
    """Byte for byte what readers obey."""
    assert protocol.FIND.hex() == "aaaaaa96690003200122"
    assert protocol.SELECT.hex() == "aaaaaa96690003200221"
    assert protocol.READ.hex() == "aaaaaa96690003300132"
    assert protocol.answer(protocol.FOUND, bytes(4)).hex() == "aaaaaa9669000800009f0000000097"
    assert protocol.answer(protocol.NO_CARD).hex() == "aaaaaa9669000400008084"
    assert protocol.answer(protocol.NOT_READ).hex() == "aaaaaa9669000400004145"


def test_a_reading_is_as_long_as_readers_send_it() -> None:
    """1,295 bytes; the text begins at byte 14 and the number at 136."""
    number, name = simulator.INVENTED["resident"]
    reading = protocol.answer(protocol.OK, simulator._reading(documents.written("resident", number, name, "20361231")))
    assert len(reading) == 1295
    assert reading[136 : 136 + 36].decode("utf-16-le") == number
    assert documents.read(protocol.text_of(protocol.parse(reading))).number == number


@settings(deadline=None, max_examples=60)
@given(noise=st.binary(max_size=20), body=st.binary(min_size=3, max_size=60), flipped=st.integers(0, 10_000))
def test_a_frame_comes_out_of_noise_and_a_flipped_bit_does_not(noise: bytes, body: bytes, flipped: int) -> None:
    """What was sent is read, or refused; never read as something else."""
    sent = protocol.frame(body)
    if protocol.PREAMBLE not in noise + sent[:4]:
        assert protocol.expected(noise + sent) == 0
        assert protocol.parse(noise + sent) == protocol.Answer(body[2], body[3:])
    place = 7 + flipped % (len(sent) - 7)
    damaged = sent[:place] + bytes([sent[place] ^ (1 << flipped % 8)]) + sent[place + 1 :]
    with pytest.raises(protocol.Garbled):
        protocol.parse(damaged)
