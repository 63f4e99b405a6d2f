"""Makes calls over one channel: deadlines, further attempts, errors. What both blocking clients stand on."""
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from tandem_client import _wire
from tandem_client._calls import Calls
from tandem_client._connection import Settings
from tandem_client._errors import TandemError
from tandem_client._inference import Call
from tandem_client._retry import RetryPolicy

T = TypeVar("T")


class Channel(Calls):
    """A connection that is made when it is first needed, and again when it was lost. For any number of threads."""

    def __init__(self, settings: Settings, retry: RetryPolicy) -> None:
        super().__init__(settings, retry)
        options = settings.options()
        if settings.tls is None:
            self._channel = grpc.insecure_channel(settings.address, options)
        else:
            self._channel = grpc.secure_channel(settings.address, settings.tls.credentials(), options)

    def close(self) -> None:
        """Ends what is in flight; safe to repeat."""
        self._closed = True
        self._channel.close()

    def run(self, call: Call[T], timeout: float | None, retry: RetryPolicy | None) -> T:
        """Makes the call, as often as the policy has it. `timeout` covers all attempts. TandemError when it failed."""
        attempts = self._attempts(call, timeout, retry)
        make = self._unary(call.method)
        while True:
            try:
                answer = make(call.request, timeout=attempts.begin(), metadata=self._settings.metadata())
                return call.parse(answer)
            except grpc.RpcError as failure:
                wait = self._wait_after(attempts, failure)
                if wait is None:
                    raise self._error(failure, call.what, attempts.made) from None
            time.sleep(wait)

    def server_stream(self, call: Call[Any], timeout: float | None) -> Iterator[Any]:
        """The messages that a call answers with. Leaving early cancels it."""
        start = self._channel.unary_stream(call.method.path, request_serializer=call.method.request.SerializeToString,
                                           response_deserializer=call.method.response.FromString)
        return self._read(start(call.request, timeout=timeout, metadata=self._settings.metadata()), call.what)

    def both_stream(self, method: _wire.Method, messages: Iterable[Any], what: str,
                    timeout: float | None) -> Iterator[Any]:
        """Sends messages, on a thread of gRPC's, while answers are read. What `messages` raises is raised here."""
        broken: list[Exception] = []

        def watched() -> Iterator[Any]:
            try:
                yield from messages
            except Exception as error:  # handed to the reader, whatever it is
                broken.append(error)
                responses.cancel()

        start = self._channel.stream_stream(method.path, request_serializer=method.request.SerializeToString,
                                            response_deserializer=method.response.FromString)
        responses = start(watched(), timeout=timeout, metadata=self._settings.metadata())
        try:
            yield from self._read(responses, what)
        except TandemError:
            if broken:
                raise broken[0] from None
            raise

    def _read(self, responses: Any, what: str) -> Iterator[Any]:
        try:
            yield from responses
        except grpc.RpcError as failure:
            raise self._error(failure, what, 1) from None
        finally:
            responses.cancel()

    def _unary(self, method: _wire.Method) -> Callable[..., Any]:
        call = self._unary_calls.get(method.path)
        if call is None:  # two threads may both make it; either is good
            call = self._channel.unary_unary(method.path, request_serializer=method.request.SerializeToString,
                                             response_deserializer=method.response.FromString)
            self._unary_calls[method.path] = call
        return call


class ChannelUser:
    """A client on a channel of its own, which ends with it."""

    _channel: Channel

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; calls in flight end with Cancelled."""
        self._channel.close()
