"""ICC profiles, made byte by byte as the ICC's specification of version 2 says."""

import struct
from itertools import product

XYZ = tuple[float, float, float]
D50: XYZ = (0.9642, 1.0, 0.8249)


def adobe_rgb() -> bytes:
    return _rgb((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), 2.2)


def display_p3() -> bytes:
    return _rgb((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407), 2.2)


def grey(gamma: float) -> bytes:
    return _profile(b"GRAY", b"XYZ ", wtpt=_xyz(D50), kTRC=_curve(gamma))


def cmyk() -> bytes:
    """Each of the three inks takes a third of the light away, black takes all; no ink has a colour."""
    lightness = [255 * (1 - black) * (3 - sum(inks)) / 3 for *inks, black in product((0, 1), repeat=4)]
    table = bytes(value for grey in lightness for value in (round(grey), 128, 128))
    matrix = struct.pack(">9i", *(65536 * (index % 4 == 0) for index in range(9)))
    straight = bytes(range(256))
    head = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0])
    return _profile(b"CMYK", b"Lab ", wtpt=_xyz(D50), A2B0=head + matrix + 4 * straight + table + 3 * straight)


def _rgb(red: XYZ, green: XYZ, blue: XYZ, gamma: float) -> bytes:
    colours = {"rXYZ": _xyz(red), "gXYZ": _xyz(green), "bXYZ": _xyz(blue)}
    return _profile(b"RGB ", b"XYZ ", wtpt=_xyz(D50), **colours, **{f"{c}TRC": _curve(gamma) for c in "rgb"})


def _profile(space: bytes, connection: bytes, **tags: bytes) -> bytes:
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name.encode(), start + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s12s4s", start + len(body), b"", 0x02400000, b"scnr", space, connection, b"", b"acsp")
    return head.ljust(68, b"\0") + _xyz(D50)[8:].ljust(60, b"\0") + table + body


def _xyz(values: XYZ) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * gamma))
