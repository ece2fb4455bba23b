"""Let Python notice in time that a chain of objects is deep: one change of its binary.

When the last name of a long computation goes, each node frees its inputs, which free
theirs. Python puts off what lies too deep, and knows the depth by the stack in its own
memory. But what frees an object needs none of that: what it needs is the browser's
stack, and that ends after some thousand nodes, and Python with it. So `_Py_Dealloc` is
made to take a few bytes of the stack that Python looks at.
"""

from __future__ import annotations

FUNCTION = b"_Py_Dealloc"
TAKES = 64  # bytes; a multiple of 16
CUSTOM, IMPORTS, FUNCTIONS, CODE = 0, 2, 3, 10
# On entry the stack pointer, which is global 0, goes down, then up again, by
# global.get 0, i32.const TAKES, i32.sub or i32.add, global.set 0.
MOVE = b"\x23\x00\x41" + bytes([TAKES | 0x80, 0])
DOWN, UP = MOVE + b"\x6b\x24\x00", MOVE + b"\x6a\x24\x00"


def with_depth(binary: bytes) -> bytes:
    """Give the binary in which freeing an object takes some of Python's stack.

    The function gets a new number at the end; under its old one stands a function that
    moves the stack pointer and calls it.
    """
    sections = list(_sections(binary))
    parts = {kind: body for kind, body in sections if kind}
    imported = _imported(parts[IMPORTS])
    own = (
        _index(next(b for k, b in sections if not k and b[:5] == b"\x04name"))
        - imported
    )
    types, codes = _numbers(parts[FUNCTIONS]), _codes(parts[CODE])
    new = imported + len(codes)
    # No locals; local.get 0, call `new`, end.
    body = b"\x00" + DOWN + b"\x20\x00\x10" + leb(new) + UP + b"\x0b"
    types, codes = [*types, types[own]], [*codes, codes[own]]
    codes[own] = body
    made = {FUNCTIONS: leb(len(types)) + b"".join(map(leb, types))}
    made[CODE] = leb(len(codes)) + b"".join(leb(len(c)) + c for c in codes)
    out = [binary[:8]]
    for kind, old in sections:
        body = made.get(kind, old)
        out += [bytes([kind]), leb(len(body)), body]
    return b"".join(out)


def _sections(binary: bytes):
    at = 8
    while at < len(binary):
        kind = binary[at]
        size, start = number(binary, at + 1)
        at = start + size
        yield kind, binary[start:at]


def _imported(body: bytes) -> int:
    """Count the functions that come from outside: they have the first numbers."""
    count, at = number(body, 0)
    for _ in range(count):
        for _ in range(2):
            size, at = number(body, at)
            at += size
        if body[at] != 0:
            raise ValueError("python.wasm imports something that is no function.")
        _, at = number(body, at + 1)
    return count


def _index(names: bytes) -> int:
    """Find the number of the function by its name."""
    at = 5
    while at < len(names):
        kind = names[at]
        size, at = number(names, at + 1)
        end = at + size
        if kind == 1:
            count, at = number(names, at)
            for _ in range(count):
                index, at = number(names, at)
                size, at = number(names, at)
                if names[at : at + size] == FUNCTION:
                    return index
                at += size
        at = end
    raise ValueError(
        f"python.wasm has no function {FUNCTION.decode()}: another version?"
    )


def _numbers(body: bytes) -> list[int]:
    count, at = number(body, 0)
    found = []
    for _ in range(count):
        one, at = number(body, at)
        found.append(one)
    return found


def _codes(body: bytes) -> list[bytes]:
    count, at = number(body, 0)
    found = []
    for _ in range(count):
        size, at = number(body, at)
        found.append(body[at : at + size])
        at += size
    return found


def number(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte; give it, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def leb(value: int) -> bytes:
    """Write a number so: seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
