"""Read a GGUF file: its metadata and its tensors, as numpy arrays.

Only what the embedded model needs (little-endian version 3; F32, F16, Q4_1 and Q8_0 tensors), because then a
model of 98 MB is usable 0.6 s after it was found, without a converted copy on disk. The layout is described at
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


class GgufError(ValueError):
    """The file is not a GGUF file that this reader understands."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Where one tensor lies: its shape (outermost axis first), its ggml type and its first byte in the file."""

    shape: tuple[int, ...]
    ggml_type: int
    offset: int


class GgufFile:
    """A GGUF file, mapped into memory: `metadata` is read at once, a tensor when it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._at = 0
        try:
            self.metadata, self.tensors = self._read_header()
        except (struct.error, UnicodeDecodeError, KeyError) as error:
            raise GgufError(f"{path} is damaged: its header cannot be read ({error})") from error

    def tensor(self, name: str) -> NDArray[np.float32]:
        """The tensor `name`, dequantised."""
        info = self.tensors[name]
        if info.ggml_type not in _DECODERS:
            raise GgufError(
                f"{self.path}: tensor {name} has ggml type {info.ggml_type}, which is not supported"
            )
        count = math.prod(info.shape)
        return _DECODERS[info.ggml_type](self._bytes, info.offset, count).reshape(info.shape)

    def _read_header(self) -> tuple[Mapping[str, Any], Mapping[str, TensorInfo]]:
        if self._bytes[:4] != b"GGUF":
            raise GgufError(f"{self.path} is not a GGUF file")
        self._at = 4
        version, tensor_count, key_count = self._scalar("I"), self._scalar("Q"), self._scalar("Q")
        if version != 3:
            raise GgufError(f"{self.path} is GGUF version {version}; only version 3 is supported")
        metadata = {self._string(): self._value(self._scalar("I")) for _ in range(key_count)}
        found = [self._tensor_info() for _ in range(tensor_count)]
        alignment = int(metadata.get("general.alignment", 32))
        start = -(-self._at // alignment) * alignment
        return metadata, {name: TensorInfo(shape, kind, start + at) for name, shape, kind, at in found}

    def _tensor_info(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._string()
        innermost_first = [self._scalar("Q") for _ in range(self._scalar("I"))]
        return name, tuple(reversed(innermost_first)), self._scalar("I"), self._scalar("Q")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            inner, count = self._scalar("I"), self._scalar("Q")
            return [self._value(inner) for _ in range(count)]
        return self._scalar(_SCALARS[kind])

    def _scalar(self, code: str) -> Any:
        (value,) = struct.unpack_from("<" + code, self._bytes, self._at)
        self._at += struct.calcsize("<" + code)
        return value

    def _string(self) -> str:
        length = self._scalar("Q")
        self._at += length
        return self._bytes[self._at - length : self._at].decode("utf-8")


def _plain(dtype: str) -> Callable[[mmap.mmap, int, int], NDArray[np.float32]]:
    def decode(data: mmap.mmap, offset: int, count: int) -> NDArray[np.float32]:
        return np.frombuffer(data, dtype, count, offset).astype(np.float32)

    return decode


def _q4_1(data: mmap.mmap, offset: int, count: int) -> NDArray[np.float32]:
    """Blocks of 32: scale d, minimum m (fp16), 16 bytes of which the low nibbles come first; x = d q + m."""
    blocks = np.frombuffer(data, [("d", "<f2"), ("m", "<f2"), ("q", "u1", 16)], count // 32, offset)
    values = np.empty((len(blocks), 32), np.float32)
    values[:, :16] = blocks["q"] & 15
    values[:, 16:] = blocks["q"] >> 4
    values *= blocks["d"].astype(np.float32)[:, None]
    values += blocks["m"].astype(np.float32)[:, None]
    return values


def _q8_0(data: mmap.mmap, offset: int, count: int) -> NDArray[np.float32]:
    """Blocks of 32: scale d (fp16), 32 signed bytes; x = d q."""
    blocks = np.frombuffer(data, [("d", "<f2"), ("q", "i1", 32)], count // 32, offset)
    return blocks["q"].astype(np.float32) * blocks["d"].astype(np.float32)[:, None]


_DECODERS: dict[int, Callable[[mmap.mmap, int, int], NDArray[np.float32]]] = {
    0: _plain("<f4"),
    1: _plain("<f2"),
    3: _q4_1,
    8: _q8_0,
}
