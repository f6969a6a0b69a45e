"""What a profile's file must say: each mistake is told with file, rule, value and remedy; none goes by silently."""

import math
from typing import Any, Literal, NoReturn, get_args

Severity = Literal["reject", "review", "warn", "info"]
Stage = Literal["capture", "finished"]
JudgedBy = Literal["machine", "person"]

#: All names that a rule may measure by (see `measures`).
MEASURES = frozenset(
    {
        "age_days", "backdrop_difference", "backdrop_foreign_share", "backdrop_lightness_offset", "backdrop_unevenness",
        "blink", "bystanders", "bytes", "centre_offset_px", "clothing_blue_share", "clothing_contrast",
        "clothing_green_share", "clothing_purple_share", "clothing_yellow_share", "colour_shift", "components",
        "density_down_dpi", "density_dpi", "enlargement", "eye_contrast", "eye_openness", "eyes_px", "face_chroma",
        "face_width_px", "faces", "framed_sides", "glare", "head_room_px", "height_px", "high_hair_px",
        "leftover_bytes", "lip_gap", "orientation", "others", "quality", "red_eye", "roll_deg", "sharpness",
        "side_difference", "suffix", "width_px", "yaw_deg",
    }
)  # fmt: skip
#: Composition aims for these.
_NEEDED = {"P1": "head_room_px", "P2": "eyes_px", "P3": "face_width_px"}
_TEXTS = {"reason_zh", "reason_en", "advice_zh", "advice_en", "source", "unit", "measure"}
_NUMBERS = {"low", "high", "reject_low", "reject_high", "noise"}
_CHOICES = {"severity": get_args(Severity), "unmeasured": get_args(Severity), "judged_by": get_args(JudgedBy)}
_RULE = _TEXTS | _NUMBERS | set(_CHOICES) | {"stages"}
_TOP = {
    "extends", "version", "title_zh", "title_en", "backdrop", "without", "backdrops", "output", "rules"
}  # fmt: skip
_OUTPUT = {"width_px", "height_px", "density_dpi", "least_quality", "least_bytes", "most_bytes"}


class ProfileBroken(ValueError):
    """A profile's file does not say what it must; the message names file, rule, value and remedy."""


def refuse(file: str, rule_id: str, key: str, value: object, wanted: str) -> NoReturn:
    """Raises: ProfileBroken."""
    at = f"{file}: [rules.{rule_id}] {key}" if rule_id and key != "without" else f"{file}: {key}"
    said = "缺少 missing" if value is None else f"= {value!r}"
    raise ProfileBroken(f"{at} {said} · 应为 it must be {wanted}")


def shape(file: str, own: dict[str, Any]) -> None:
    """What is checked before profiles are laid over each other. Raises: ProfileBroken."""
    for key, value in own.items():
        if key not in _TOP:
            refuse(file, "", key, value, f"left out: known are {', '.join(sorted(_TOP))}")
    for key in ("backdrops", "output", "rules"):
        if not isinstance(own.get(key, {}), dict):
            refuse(file, "", key, own[key], "a table")
    without = own.get("without", [])
    if not isinstance(without, list) or not all(isinstance(rule_id, str) for rule_id in without):
        refuse(file, "", "without", without, "a list of rules' ids")
    for rule_id, values in own.get("rules", {}).items():
        if not isinstance(values, dict):
            refuse(file, rule_id, "", values, "a table")
        for key in values:
            if key not in _RULE:
                refuse(file, rule_id, key, values[key], f"left out: known are {', '.join(sorted(_RULE))}")


def whole(file: str, document: dict[str, Any]) -> None:
    """What is checked of the profile with all that it stands on. Raises: ProfileBroken."""
    for key in ("version", "title_zh", "title_en", "backdrop"):
        if not isinstance(document.get(key), str):
            refuse(file, "", key, document.get(key), "a text")
    output = document.get("output", {})
    if set(output) != _OUTPUT or not all(_number(value) and value > 0 for value in output.values()):
        refuse(file, "", "output", output, f"numbers above 0 for {', '.join(sorted(_OUTPUT))}")
    backdrops = document.get("backdrops", {})
    colour = backdrops.get(document["backdrop"])
    if (
        not isinstance(colour, list)
        or len(colour) != 3
        or not all(_number(part) and 0 <= part <= 255 for part in colour)
    ):
        refuse(
            file, "", "backdrop", document["backdrop"], f"one of {', '.join(backdrops)}, each red, green, blue 0–255"
        )
    for rule_id, measure in _NEEDED.items():
        if document.get("rules", {}).get(rule_id, {}).get("measure") != measure:
            refuse(file, "", f"[rules.{rule_id}]", None, f"a rule that measures {measure}: composition aims for it")


def rule(file: str, rule_id: str, values: dict[str, Any]) -> None:
    """One rule with all its values. Raises: ProfileBroken."""
    for key, choices in _CHOICES.items():
        if values.get(key) not in choices:
            refuse(file, rule_id, key, values.get(key), f"one of {', '.join(choices)}")
    stages = values["stages"]
    if not isinstance(stages, list) or not stages or not set(stages) <= set(get_args(Stage)):
        refuse(file, rule_id, "stages", stages, f"a list of {', '.join(get_args(Stage))}")
    for key in _TEXTS:
        if not isinstance(values.get(key), str) or (key.startswith("reason") and not values[key]):
            refuse(file, rule_id, key, values.get(key), "a text")
    for key in _NUMBERS:
        if values[key] is not None and not _number(values[key]):
            refuse(file, rule_id, key, values[key], "a number")
    if values["judged_by"] == "machine":
        _measured(file, rule_id, values)


def _measured(file: str, rule_id: str, values: dict[str, Any]) -> None:
    if values["measure"] not in MEASURES:
        refuse(file, rule_id, "measure", values["measure"], f"one of {', '.join(sorted(MEASURES))}")
    low, high = (-math.inf if values["low"] is None else values["low"]), values["high"]
    high = math.inf if high is None else high
    if (values["low"], values["high"]) == (None, None):
        refuse(file, rule_id, "low, high", None, "a limit at least on one side")
    if low > high:
        refuse(file, rule_id, "low, high", (low, high), "low first")
    if values["reject_low"] is not None and values["reject_low"] > low:
        refuse(file, rule_id, "reject_low", values["reject_low"], f"at most low = {low}")
    if values["reject_high"] is not None and values["reject_high"] < high:
        refuse(file, rule_id, "reject_high", values["reject_high"], f"at least high = {high}")
    if values["noise"] < 0:
        refuse(file, rule_id, "noise", values["noise"], "0 or more")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
