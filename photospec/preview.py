"""A small picture for a screen. It is for looking at and never goes anywhere else."""

import cv2

from photospec import decoding

_QUALITY = 82


def make(jpeg: decoding.Bytes, height_px: int) -> bytes:
    """The picture upright, at most `height_px` high, as JPEG. Raises: decoding.UnreadableImage."""
    data = decoding.whole(jpeg)
    header = decoding.check(data)
    _, height = decoding.upright_size(header)
    picture = decoding.decode(data, header, decoding.reduction_for(height, height_px))
    pixels = picture.pixels
    if pixels.shape[0] > height_px:
        width_px = max(1, round(pixels.shape[1] * height_px / pixels.shape[0]))
        pixels = cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_AREA).astype(pixels.dtype)
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes()
