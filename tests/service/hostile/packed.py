"""Generate gzip and zstd files that are damaged, or unpack to far more."""

import gzip
import zlib
from collections.abc import Iterator

from backports import zstd

from tests.core.datasets.hostile.files import READ, Case

TABLE = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i % 7) for i in range(200))


def _gzip() -> Iterator[Case]:
    whole = gzip.compress(TABLE)
    yield Case("gzip, whole", whole, READ)
    yield Case("gzip, of two parts", gzip.compress(TABLE[:600]) + gzip.compress(TABLE[600:]), READ)  # fmt: skip
    yield Case("gzip, then other bytes", whole + b"more", "damaged")
    for end in (2, 10, len(whole) // 2, len(whole) - 8, len(whole) - 1):
        yield Case(f"gzip, {end} bytes", whole[:end], "ends too early")
    for at in (len(whole) - 8, len(whole) - 4):  # the checksum, and the size
        damaged = bytes([*whole[:at], whole[at] ^ 0xFF, *whole[at + 1 :]])
        yield Case(f"gzip, byte {at}", damaged, "damaged")
    yield Case("gzip, of nothing", gzip.compress(b""), "empty")
    yield Case("gzip, in gzip", gzip.compress(whole))
    bomb = zlib.compressobj(wbits=31)
    packed = b"".join(bomb.compress(b"\0" * 2**20) for _ in range(200)) + bomb.flush()
    yield Case("gzip, a bomb", packed, "unpacks to more")
    yield Case("gzip, a bomb of parts", gzip.compress(b"1,2\n" * 2**20) * 60, "unpacks")


def _zstd() -> Iterator[Case]:
    whole = zstd.compress(TABLE, options={zstd.CompressionParameter.checksum_flag: 1})
    yield Case("zstd, whole", whole, READ)
    yield Case("zstd, of two parts", zstd.compress(TABLE[:600]) + zstd.compress(TABLE[600:]), READ)  # fmt: skip
    yield Case("zstd, then other bytes", whole + b"more", "damaged")
    for end in (4, 10, len(whole) // 2, len(whole) - 1):
        yield Case(f"zstd, {end} bytes", whole[:end], "ends too early")
    damaged = bytes([*whole[:-1], whole[-1] ^ 0xFF])
    yield Case("zstd, another checksum", damaged, "damaged")
    yield Case("zstd, of nothing", zstd.compress(b""), "empty")
    yield Case("zstd, a bomb", zstd.compress(b"\0" * (200 * 2**20)), "unpacks to more")
    # a frame that asks for a window of two gigabytes
    wide = b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\x00\x00" * 10
    yield Case("zstd, a huge window", wide)


def packed_cases() -> list[Case]:
    """Return the whole corpus."""
    return [*_gzip(), *_zstd()]
