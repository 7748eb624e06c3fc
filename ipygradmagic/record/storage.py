"""A trace as a file of JSON, compressed or not."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from pathlib import Path

from ipygradmagic.errors import OptionError, TraceFormatError

ENDS = (".json", ".json.gz")
MARK = "ipygradmagic"
KIND = "trace"


def write(data: dict[str, object], path: str | os.PathLike[str]) -> None:
    """Write the dict of a trace; a file of that name is replaced, once the new one is whole.

    Raises:
        OptionError: The end of the name is no known one, or the file cannot be written.
    """
    file = _known(path)
    text = json.dumps({MARK: KIND, **data}, ensure_ascii=True, separators=(",", ":"))
    content = text.encode("ascii")
    if file.name.lower().endswith(".gz"):
        content = gzip.compress(content, 6)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OptionError(f"{file} cannot be written ({error.strerror})") from None


def read(path: str | os.PathLike[str]) -> dict[str, object]:
    """The dict of a saved trace.

    Raises:
        OptionError: The end of the name is no known one.
        FileNotFoundError: There is no such file.
        TraceFormatError: It is no saved trace; says what it is instead, where that can be told.
    """
    file = _known(path)
    content = file.read_bytes()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        data = json.loads(content)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise TraceFormatError(
            f"{file} is no saved trace: it cannot be read as JSON ({error}). What Trace.save() wrote "
            "can be; the rows that --save wrote are for pandas.read_json(..., lines=True)"
        ) from None
    if not isinstance(data, dict) or data.pop(MARK, None) != KIND:
        raise TraceFormatError(
            f"{file} is no saved trace, but some other JSON; Trace.load() reads what Trace.save() wrote"
        )
    return data


def _known(path: str | os.PathLike[str]) -> Path:
    file = Path(path).expanduser()
    if file.name.lower().endswith(ENDS):
        return file
    raise OptionError(
        f"{file.name!r} is no name for a saved trace; give one that ends in {' or '.join(ENDS)}"
    )
