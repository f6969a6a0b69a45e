"""The vault's keys at work. A sealed value opens only for the student and the field that it was sealed for."""

from collections.abc import Mapping, Sequence

from gradphoto_contracts import ids
from kit import crypto
from services.roster.domain import documents, imports, rows
from services.roster.ports import Field, Sealed


class Vault:
    """See `ports.Vault`.

    Args:
        keys: by id, the keys that sealed data may need; `current` seals.
        index_key: of the keyed hashes by which documents are compared. Changing it makes all known students strangers.
        code_key: the master of the campaigns' code keys.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str, index_key: bytes, code_key: bytes) -> None:
        self._sealer = crypto.Sealer(
            {key_id: crypto.derive(key, "roster", "vault") for key_id, key in keys.items()}, current
        )
        self._document_key = crypto.derive(index_key, "roster", "document")
        self._fingerprint_key = crypto.derive(index_key, "roster", "fingerprint")
        self._code_key = code_key

    def trace(self, checked: Sequence[rows.Row]) -> list[imports.Traced]:
        index, document_key, fingerprint_key = crypto.blind_index, self._document_key, self._fingerprint_key
        return [
            imports.Traced(
                row,
                index(document_key, documents.normalised(row.document_no)),
                index(
                    fingerprint_key,
                    "\0".join((row.name, row.sex, row.document_type, row.document_no, row.phone or "")),
                ),
            )
            for row in checked
        ]

    def seal(self, campaign_id: ids.CampaignId, staged: Sequence[imports.Staged], mode: str) -> list[Sealed]:
        campaign_key = crypto.campaign_code_key(self._code_key, campaign_id)
        return [self._sealed(one, mode, campaign_key) for one in staged]

    def open(self, student_id: ids.StudentId, field: Field, sealed: bytes) -> str:
        return self._sealer.open(sealed, _belongs_to(student_id, field)).decode()

    def digest(self, campaign_id: ids.CampaignId, mode: str, payload: str) -> str:
        return crypto.code_digest(self._code_key, campaign_id, mode, payload)

    def _sealed(self, one: imports.Staged, mode: str, campaign_key: bytes) -> Sealed:
        (row, document_index, fingerprint), student_id = one.traced, one.student_id
        payload = _payload(row, mode)
        return Sealed(
            student_id,
            one.class_id,
            one.known,
            row.student_no,
            row.cohort,
            row.level,
            row.eligible,
            row.document_type,
            row.sex,
            self._seal(student_id, "name", row.name),
            self._seal(student_id, "document_no", row.document_no),
            None if row.phone is None else self._seal(student_id, "phone", row.phone),
            document_index,
            fingerprint,
            None if payload is None else mode,
            None if payload is None else crypto.digest_with(campaign_key, mode, payload),
        )

    def _seal(self, student_id: ids.StudentId, field: Field, value: str) -> bytes:
        return self._sealer.seal(value.encode(), _belongs_to(student_id, field))


def _belongs_to(student_id: ids.StudentId, field: Field) -> bytes:
    return student_id.bytes + field.encode()


def _payload(row: rows.Row, mode: str) -> str | None:
    """What is scanned at the desk where the roster knows it; None for 采集码, which only the student can show."""
    if mode == "id_card":
        return row.document_no
    return None if mode == "capture_code" else row.student_no
