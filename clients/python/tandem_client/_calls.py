"""What channels share, however they wait: settings, attempts, errors, and how a long call is followed to its result."""
from collections.abc import Callable
from typing import Any, TypeVar

import grpc

from tandem_client._connection import Settings
from tandem_client._errors import TandemError, make_error
from tandem_client._inference import Call
from tandem_client._retry import NO_RETRIES, Attempts, RetryPolicy

T = TypeVar("T")


class Calls:
    """The part of a channel that makes no calls itself."""

    def __init__(self, settings: Settings, retry: RetryPolicy) -> None:
        self._settings = settings
        self._retry = retry
        self._unary_calls: dict[str, Callable[..., Any]] = {}
        self._closed = False

    @property
    def address(self) -> str:
        return self._settings.address

    def ended_early(self, what: str) -> TandemError:
        """The error of a stream that has ended without its result."""
        return make_error(grpc.StatusCode.UNKNOWN, "the answer ended without a result", what, self.address)

    def _attempts(self, call: Call[Any], timeout: float | None, retry: RetryPolicy | None) -> Attempts:
        policy = (retry or self._retry) if call.repeatable else NO_RETRIES
        return Attempts(policy, self._settings.timeout if timeout is None else timeout)

    def _wait_after(self, attempts: Attempts, failure: grpc.RpcError) -> float | None:
        """-> the seconds to wait before the next attempt; None: there is none, as when this end cancelled the call."""
        return None if self._closed else attempts.wait_after(failure.code(), failure.details())

    def _error(self, failure: grpc.RpcError, what: str, attempts: int) -> TandemError:
        return make_error(failure.code(), failure.details(), what, self.address, attempts)


def result_in(step: Any, kind: type[T], progress: Callable[[Any], None] | None) -> T | None:
    """The result if `step` of a long call is one; else `progress` is told of it."""
    if isinstance(step, kind):
        return step
    if progress is not None:
        progress(step)
    return None
