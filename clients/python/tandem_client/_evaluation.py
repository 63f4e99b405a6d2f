"""The stream on which samples go to be scored, and what comes back."""
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tandem_client import _wire, admin
from tandem_client._records import from_message
from tandem_client._tensors import Array

PIECE = 1 << 20  # bytes of samples in a message


def messages(model: str, versions: Sequence[int], samples: Mapping[str, Array] | None,
             labels: Array | None) -> Iterator[Any]:
    """What to send: the subject, then the samples as an .npz and the labels as an .npy, in pieces."""
    request = _wire.method(_wire.ADMIN, "Evaluate").request
    yield request(subject={"model": model, "versions": list(versions)})
    if samples is not None:
        stored = io.BytesIO()
        arrays: dict[str, Any] = dict(samples)
        np.savez(stored, **arrays)
        yield from (request(samples=piece) for piece in _pieces(stored))
    if labels is not None:
        stored = io.BytesIO()
        np.save(stored, labels)
        yield from (request(labels=piece) for piece in _pieces(stored))


def parse(answer: Any) -> admin.BuildProgress | admin.Evaluation:
    if answer.WhichOneof("step") == "progress":
        return from_message(admin.BuildProgress, answer.progress)
    return from_message(admin.Evaluation, answer.result)


def _pieces(stored: io.BytesIO) -> Iterator[bytes]:
    stored.seek(0)
    while piece := stored.read(PIECE):
        yield piece
