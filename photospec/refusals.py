"""Why a file is not judged at all: one stable code each, the rule it breaks, and words for operator and student.

Rule D0: the file can't be had. G4: it is no JPEG. D1: it is damaged. D2: a kind of JPEG that no portal takes. D3: it is
beyond the bounds within which memory and time are known. D4: too small or too narrow to hold a portrait.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """`code` and `rule_id` are stable; the rest is for people."""

    code: str
    rule_id: str
    reason_zh: str
    reason_en: str
    advice_zh: str
    advice_en: str


_FROM_CAMERA = ("请从相机存储卡重新复制原片", "Copy the original from the camera's card again")
_AS_JPEG = ("请用相机的 JPEG 原片，不要改扩展名", "Take the camera's own JPEG; renaming a file does not convert it")
_TO_JPEG = (
    "请把相机或手机设为 JPEG（兼容性最佳）后重拍",
    "Set the camera or phone to JPEG (most compatible); take it again",
)
_PLAIN = ("请用相机直接输出的普通 JPEG（8 位、基线）", "Take a plain JPEG as the camera writes it (8 bits, baseline)")
_SMALLER = ("请在相机上选择较小的 JPEG 尺寸后重拍", "Choose a smaller JPEG size in the camera; take it again")

#: In the order in which they are looked for.
ALL = {
    refusal.code: refusal
    for refusal in (
        Refusal(
            "unopenable", "D0", "文件无法打开", "the file can't be opened",
            "请检查路径、权限和存储卡", "Check the path, the permission and the card",
        ),
        Refusal("not_a_file", "D0", "不是普通文件", "it is no ordinary file", "请指定照片文件", "Name a picture file"),
        Refusal(
            "gave_up", "D3", "检查超出时间或内存上限，已中止", "judging ran out of its time or memory and was stopped",
            *_PLAIN,
        ),
        Refusal("empty", "D1", "文件是空的", "the file is empty", *_FROM_CAMERA),
        Refusal("too_many_bytes", "D3", "文件太大（上限 64 MB）", "the file is too big (64 MB at most)", *_SMALLER),
        Refusal("heic", "G4", "是 HEIC/HEIF/AVIF 格式，不是 JPEG", "it is HEIC, HEIF or AVIF, not JPEG", *_TO_JPEG),
        Refusal("png", "G4", "是 PNG 格式，只接收 JPEG 原片", "it is PNG: only JPEG originals are taken", *_AS_JPEG),
        Refusal(
            "gif", "G4", "是 GIF（动图）格式，只接收 JPEG 原片", "it is GIF: only JPEG originals are taken", *_AS_JPEG
        ),
        Refusal("webp", "G4", "是 WebP 格式，只接收 JPEG 原片", "it is WebP: only JPEG originals are taken", *_AS_JPEG),
        Refusal(
            "tiff", "G4", "是 TIFF 或 RAW 格式，只接收 JPEG 原片", "it is TIFF or RAW: only JPEG originals are taken",
            "请把相机设为 RAW+JPEG 或 JPEG", "Set the camera to RAW+JPEG or JPEG",
        ),
        Refusal("bmp", "G4", "是 BMP 格式，只接收 JPEG 原片", "it is BMP: only JPEG originals are taken", *_AS_JPEG),
        Refusal(
            "jxl", "G4", "是 JPEG XL 格式，不是普通 JPEG", "it is JPEG XL, which is not JPEG", *_TO_JPEG
        ),
        Refusal("jp2", "G4", "是 JPEG 2000 格式，不是普通 JPEG", "it is JPEG 2000, which is not JPEG", *_AS_JPEG),
        Refusal(
            "film", "G4", "是视频（或实况照片的视频部分），不是照片", "it is a film, or a live photo's moving part",
            "请使用照片本身（JPEG）", "Take the photo itself, as JPEG",
        ),
        Refusal("not_jpeg", "G4", "不是 JPEG 文件", "it is no JPEG file", *_AS_JPEG),
        Refusal("malformed", "D1", "JPEG 文件头已损坏", "the JPEG header is damaged", *_FROM_CAMERA),
        Refusal("truncated", "D1", "文件不完整", "the file is cut off", *_FROM_CAMERA),
        Refusal("damaged", "D1", "图像数据已损坏", "the picture's data are damaged", *_FROM_CAMERA),
        Refusal(
            "unsupported", "D2", "JPEG 编码方式不受支持（只接收 8 位 Huffman 编码）",
            "a kind of JPEG that is not taken (only 8 bits, Huffman coded)", *_PLAIN,
        ),
        Refusal("too_many_pixels", "D3", "像素数超过上限", "more pixels than are taken", *_SMALLER),
        Refusal("too_many_scans", "D3", "扫描次数异常，拒绝解码", "an absurd number of scans", *_PLAIN),
        Refusal(
            "too_small", "D4", "照片太小（短边不足 64 像素）", "the picture is too small (a side below 64 px)",
            "请使用相机原片", "Take the camera's original",
        ),
        Refusal(
            "too_narrow", "D4", "照片过于细长（长宽比超过 4）", "the picture is too long and narrow (more than 4 to 1)",
            "请使用未拼接、未裁切的原片", "Take the original, neither stitched nor cropped",
        ),
        Refusal("undecodable", "D1", "照片无法解码", "the picture can't be decoded", *_FROM_CAMERA),
    )
}  # fmt: skip
