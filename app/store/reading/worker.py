"""The process that reads foreign files: one request a line in, one reply a line out.

It is expected to be killed at any time: by its own limits, by a codec, or by the parent.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from app.core.messages import ReadReply, ReadRequest
    from app.store.reading.files import FileOpener

READY = b'{"type":"Ready"}\n'
OUT_OF_MEMORY_EXIT = 77


def main(arguments: list[str]) -> int:
    """Serve until the standard input ends.

    Args:
        arguments: address space in bytes, seconds a job may take.
    """
    memory_bytes, timeout_s = int(arguments[0]), float(arguments[1])
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints goes to standard error
    if sys.platform != "win32":
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    from app.store.reading.limits import die_with_parent, limit_process

    die_with_parent()
    from app.store.reading.files import FileOpener
    from app.store.reading.whitelist import load_whitelist

    whitelist = load_whitelist()
    limit_process(memory_bytes)
    replies.write(READY)
    serve(sys.stdin.buffer, replies, FileOpener(), whitelist, timeout_s)
    return 0


def serve(
    requests: BinaryIO, replies: BinaryIO, opener: FileOpener, whitelist: frozenset[int], timeout_s: float
) -> None:
    """Answer requests until they end."""
    import msgspec

    from app.core.messages import ReadRequest
    from app.store.reading.limits import limit_cpu_for_job

    encoder, decoder = msgspec.json.Encoder(), msgspec.json.Decoder(ReadRequest)
    for line in requests:
        request = decoder.decode(line)
        limit_cpu_for_job(timeout_s)
        try:
            reply = encoder.encode(answer(request, opener, whitelist))
        except MemoryError:
            os._exit(OUT_OF_MEMORY_EXIT)  # what is left of this process cannot be relied on
        replies.write(reply + b"\n")


def answer(request: ReadRequest, opener: FileOpener, whitelist: frozenset[int]) -> ReadReply:
    """Read one image; every refusal and every fault of a library becomes a reply.

    Raises:
        MemoryError: not enough memory.
    """
    import numpy as np

    from app.core.errors import UserError
    from app.core.messages import ReadFailed, ReadImage
    from app.store.reading.files import is_image, read_buffer, sha256_of
    from app.store.reading.part10 import is_dicom
    from app.store.reading.radiographs import refuse_early

    digest = ""
    try:
        buffer = opener.open(Path(request.path), request.member)
        if is_dicom(buffer):
            refuse_early(buffer)
        if is_image(buffer):
            digest = sha256_of(buffer)
        scratch = Path(request.output).parent if request.output else Path.cwd()
        reading = read_buffer(
            buffer,
            whitelist=whitelist,
            frame=request.frame,
            is_header_only=request.is_header_only,
            scratch=scratch,
        )
        if reading.image is not None:
            np.save(request.output, reading.image.pixels, allow_pickle=False)
        return ReadImage(
            job=request.job,
            source_sha256=digest,
            facts=reading.facts,
            header=reading.header,
            rows=reading.rows,
            cols=reading.cols,
            offset=0 if reading.image is None else reading.image.offset,
            grey=reading.grey,
            flags=tuple(sorted(reading.flags)),
            notices=reading.notices,
        )
    except UserError as error:
        return ReadFailed(
            job=request.job,
            title=error.title,
            reason=error.reason,
            remedy=error.remedy,
            kind=error.kind,
            source_sha256=digest,
        )
    except MemoryError:
        raise
    except BaseException:  # also pyo3's PanicException; the text of a library may hold a patient's name
        return ReadFailed(
            job=request.job,
            title="The file cannot be read.",
            reason="It is damaged, or built in a way that no decoder here knows.",
            remedy="Export the image again from where it came from.",
            kind="unreadable",
            source_sha256=digest,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
