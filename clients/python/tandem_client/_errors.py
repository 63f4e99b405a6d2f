"""What can go wrong with a call, one class a status code."""
import grpc


class TandemError(Exception):
    """A call that failed. `what` was asked for, of the server at `address`; `details` is what was said about it, by the
    server or by gRPC, after `attempts`."""

    def __init__(self, code: grpc.StatusCode, details: str, what: str, address: str, attempts: int = 1) -> None:
        tried = f" ({attempts} attempts)" if attempts > 1 else ""
        super().__init__(f"{what} at {address}: {code.name}: {details}{tried}")
        self.code = code
        self.details = details
        self.what = what
        self.address = address
        self.attempts = attempts


class InvalidArgument(TandemError):
    """The request does not fit the model; `details` names the input, what was expected and what came."""


class NotFound(TandemError):
    """There is no such model or version."""


class FailedPrecondition(TandemError):
    """It cannot be done as things are: the variant is not there, say."""


class Unavailable(TandemError):
    """The server cannot be reached, is shutting down, or the version does not serve."""


class ResourceExhausted(TandemError):
    """The model's queue is full."""


class DeadlineExceeded(TandemError):
    """The deadline or the queue timeout has passed."""


class Unauthenticated(TandemError):
    """The token is missing or wrong."""


class PermissionDenied(TandemError):
    """The call or feature is turned off on this port."""


class Unimplemented(TandemError):
    """The server does not have this call."""


class Cancelled(TandemError):
    """The call, or what it waited for, was cancelled."""


class Aborted(TandemError):
    """What the call waited for has failed or gone."""


_CLASSES: dict[grpc.StatusCode, type[TandemError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.ABORTED: Aborted,
}


def make_error(code: grpc.StatusCode, details: str | None, what: str, address: str, attempts: int = 1) -> TandemError:
    """The error of the class for `code`; TandemError itself where there is none."""
    return _CLASSES.get(code, TandemError)(code, details or "no details were given", what, address, attempts)
