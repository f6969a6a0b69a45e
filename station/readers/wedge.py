"""Codes from scanners that pretend to be a keyboard. The console's page gathers the keys (`web/console/keys.js`)."""

import unicodedata

#: The symbology that some scanners put before the code: AIM, "]Q1" for a QR code.
_AIM = ("]Q", "]C", "]d")


def plain(text: str) -> str:
    """A code without what scanner and input method add: symbology mark, blanks around it, full-width letters.

    A Chinese input method left on turns a scanner's keys into full-width ones. Anything beyond ASCII is left alone.
    """
    if text[:2] in _AIM:
        text = text[3:]
    narrow = "".join(unicodedata.normalize("NFKC", sign) if "\uff01" <= sign <= "\uff5e" else sign for sign in text)
    return narrow.strip(" \u3000")
