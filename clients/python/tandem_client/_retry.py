"""When a call is tried again, and after how long."""
import dataclasses
import random
import time
from collections.abc import Callable

import grpc


@dataclasses.dataclass(frozen=True)
class RetryPolicy:
    """Calls that ended with one of `codes` are tried again, `attempts` times in all.

    Before attempt n+1 the client waits for a random time of up to `first_wait` * `factor`^(n-1) seconds, and never
    longer than `longest_wait`: many clients that were refused at once do not come back at once. An attempt that could
    not start before the deadline is not waited for: the error is raised right away.
    """

    attempts: int = 4
    first_wait: float = 0.1
    factor: float = 2.0
    longest_wait: float = 2.0
    # CANCELLED is what gRPC says of a call that reached a server just as it ended.
    codes: frozenset[grpc.StatusCode] = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED,
                                                   grpc.StatusCode.CANCELLED})

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"RetryPolicy: attempts is {self.attempts}; the first one counts, so it is 1 at least")
        if self.first_wait < 0 or self.longest_wait < 0 or self.factor < 1:
            raise ValueError(f"RetryPolicy: waits must not be negative nor the factor below 1: {self}")


NO_RETRIES = RetryPolicy(attempts=1)


class Attempts:
    """The attempts of one call: what is left of its time, and what follows a failure. For one thread."""

    def __init__(self, policy: RetryPolicy, timeout: float | None, *, clock: Callable[[], float] = time.monotonic,
                 fraction: Callable[[], float] = random.random) -> None:
        self._policy = policy
        self._clock = clock
        self._fraction = fraction
        self._deadline = None if timeout is None else clock() + timeout
        self.made = 0

    def begin(self) -> float | None:
        """Counts an attempt -> the seconds that it may take; None: as long as it likes."""
        self.made += 1
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def wait_after(self, code: grpc.StatusCode, details: str | None = None) -> float | None:
        """-> the seconds to wait before the next attempt; None: there is none."""
        if code not in self._policy.codes or self.made >= self._policy.attempts or _is_too_large(code, details):
            return None
        bound = min(self._policy.first_wait * self._policy.factor ** (self.made - 1), self._policy.longest_wait)
        wait = bound * self._fraction()
        if self._deadline is not None and self._clock() + wait >= self._deadline:
            return None
        return wait


def _is_too_large(code: grpc.StatusCode, details: str | None) -> bool:
    """A message beyond the server's limit will not become smaller; gRPC gives it the code of a full queue."""
    return code is grpc.StatusCode.RESOURCE_EXHAUSTED and "message larger than max" in (details or "")
