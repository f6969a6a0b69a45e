"""Keys and seals."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from kit import crypto, messages

MASTER = bytes(range(32))
CAMPAIGN = UUID("0193c010-7a00-7000-8000-000000000001")
OTHER = UUID("0193c010-7a00-7000-8000-000000000002")


def sealer(current: str = "k1") -> crypto.Sealer:
    """A sealer that holds two keys."""
    return crypto.Sealer({"k1": MASTER, "k2": bytes(32)}, current)


def test_derivation_is_fixed() -> None:
    """A derived key never changes with a new version: data sealed today must open in ten years."""
    assert crypto.derive(MASTER, "vault").hex() == "c04d966e6e2c856211138a868aba4180fde74efd8879b2833aaa9847247c16ef"


def test_derivation_separates_contexts() -> None:
    """Contexts that run together to the same text have different keys."""
    assert crypto.derive(MASTER, "ab", "c") != crypto.derive(MASTER, "a", "bc")
    assert crypto.derive(MASTER, "a") != crypto.derive(bytes(32), "a")


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_is_sealed_opens_again(plain: bytes, aad: bytes) -> None:
    """Seal and open are inverse for any content and context."""
    assert sealer().open(sealer().seal(plain, aad), aad) == plain


def test_the_seal_is_aes_256_gcm_with_key_id() -> None:
    """The layout is: length of the key id, key id, 12 bytes nonce, AES-GCM; the head is authenticated too."""
    sealed = sealer().seal(b"content", b"roster.student:1:id")
    head, nonce, content = sealed[:3], sealed[3:15], sealed[15:]
    assert head == b"\x02k1"
    assert AESGCM(MASTER).decrypt(nonce, content, head + b"roster.student:1:id") == b"content"


def test_two_seals_of_one_text_differ() -> None:
    """Equal values are not seen to be equal."""
    assert sealer().seal(b"x", b"") != sealer().seal(b"x", b"")


def test_another_rows_seal_does_not_open() -> None:
    """A sealed value copied to another row, whose context differs, is refused."""
    with pytest.raises(crypto.Tampered):
        sealer().open(sealer().seal(b"x", b"student:1"), b"student:2")


@given(st.integers(min_value=0, max_value=24), st.integers(min_value=1, max_value=255))
def test_any_altered_byte_is_noticed(place: int, flip: int) -> None:
    """No byte of a seal can be altered, that of the key id included."""
    sealed = bytearray(sealer().seal(b"content..", b"aad"))
    sealed[place] ^= flip
    with pytest.raises(crypto.Tampered):
        sealer().open(bytes(sealed), b"aad")


@pytest.mark.parametrize("sealed", [b"", b"\x02", b"\x02k1", b"\x02k1short", b"\x02k9" + bytes(40), b"\xff" * 3])
def test_what_is_no_seal_is_refused(sealed: bytes) -> None:
    """Anything else is refused as tampered, never with another error."""
    with pytest.raises(crypto.Tampered):
        sealer().open(sealed, b"")


def test_keys_can_be_rotated() -> None:
    """After a rotation old seals open, new ones use the new key, and each tells its key."""
    old = sealer("k1").seal(b"x", b"")
    rotated = sealer("k2")
    new = rotated.seal(b"x", b"")
    assert rotated.open(old, b"") == rotated.open(new, b"") == b"x"
    assert (rotated.key_id(old), rotated.key_id(new)) == ("k1", "k2")


def test_a_removed_key_opens_nothing() -> None:
    """Without its key a seal is closed for good."""
    with pytest.raises(crypto.Tampered) as refused:
        crypto.Sealer({"k2": bytes(32)}, "k2").open(sealer("k1").seal(b"x", b""), b"")
    assert "密钥" in messages.render(refused.value.code, refused.value.params)[0]


@pytest.mark.parametrize(("keys", "current"), [({}, "k1"), ({"k1": b"short"}, "k1"), ({"": bytes(32)}, "")])
def test_a_wrong_set_of_keys_is_refused_at_start(keys: dict[str, bytes], current: str) -> None:
    """A missing, short or nameless key is noticed before anything is sealed."""
    with pytest.raises(ValueError, match="key"):
        crypto.Sealer(keys, current)


def test_blind_index_vector() -> None:
    """HMAC-SHA256, test case 2 of RFC 4231."""
    assert crypto.blind_index(b"Jefe", "what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_a_station_gets_the_digest_that_the_roster_registered() -> None:
    """With the campaign's key alone the same digest comes out."""
    key = crypto.campaign_code_key(MASTER, CAMPAIGN)
    for mode, payload in (("capture_code", "https://x/q?c=Ab1"), ("id_card", "11010519491231002x")):
        assert crypto.digest_with(key, mode, payload) == crypto.code_digest(MASTER, CAMPAIGN, mode, payload)


def test_a_digest_says_nothing_in_another_campaign_or_mode() -> None:
    """Digests cannot be compared across campaigns or modes."""
    digests = {
        crypto.code_digest(MASTER, CAMPAIGN, "student_no", "20201234"),
        crypto.code_digest(MASTER, OTHER, "student_no", "20201234"),
        crypto.code_digest(MASTER, CAMPAIGN, "campus_card", "20201234"),
    }
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("mode", "one", "other"),
    [
        ("id_card", "11010519491231002x", " 110105 19491231 002X\r\n"),
        ("id_card", "11010519491231002X", "１１０１０５１９４９１２３１００２Ｘ"),
        ("student_no", "b20201234", "B20201234"),
        ("capture_code", "Code-1", "Code-1\r\n"),
    ],
)
def test_spellings_of_one_payload_have_one_digest(mode: str, one: str, other: str) -> None:
    """What a scanner adds and a keyboard varies makes no difference."""
    assert crypto.code_digest(MASTER, CAMPAIGN, mode, one) == crypto.code_digest(MASTER, CAMPAIGN, mode, other)


def test_a_capture_code_keeps_its_case() -> None:
    """采集码 is opaque: two codes that differ in case are two codes."""
    assert crypto.normalise("capture_code", "aB") != crypto.normalise("capture_code", "AB")


def test_signatures() -> None:
    """A signature fits its data and its key alone."""
    private, public = crypto.new_key()
    _, stranger = crypto.new_key()
    signature = crypto.sign(private, b"data")
    assert crypto.verify(public, b"data", signature)
    assert not crypto.verify(public, b"date", signature)
    assert not crypto.verify(stranger, b"data", signature)
