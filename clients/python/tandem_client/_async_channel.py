"""What _channel.py is, for asyncio."""
import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
import grpc.aio

from tandem_client import _wire
from tandem_client._calls import Calls
from tandem_client._connection import Settings
from tandem_client._errors import TandemError, make_error
from tandem_client._inference import Call
from tandem_client._retry import RetryPolicy

T = TypeVar("T")


class AsyncChannel(Calls):
    """A connection that belongs to the event loop in which it is first used."""

    def __init__(self, settings: Settings, retry: RetryPolicy) -> None:
        super().__init__(settings, retry)
        self._channel: Any = None

    async def close(self) -> None:
        """Ends what is in flight; safe to repeat."""
        self._closed = True
        if self._channel is not None:
            await self._channel.close()

    async def run(self, call: Call[T], timeout: float | None, retry: RetryPolicy | None) -> T:
        attempts = self._attempts(call, timeout, retry)
        make = self._unary(call.method)
        while True:
            try:
                return call.parse(await make(call.request, timeout=attempts.begin(),
                                             metadata=self._settings.metadata()))
            except grpc.RpcError as failure:
                wait = self._wait_after(attempts, failure)
                if wait is None:
                    raise self._error(failure, call.what, attempts.made) from None
            await asyncio.sleep(wait)

    async def server_stream(self, call: Call[Any], timeout: float | None) -> AsyncIterator[Any]:
        start = self._open().unary_stream(call.method.path, request_serializer=call.method.request.SerializeToString,
                                          response_deserializer=call.method.response.FromString)
        async for message in self._read(start(call.request, timeout=timeout, metadata=self._settings.metadata()),
                                        call.what):
            yield message

    async def both_stream(self, method: _wire.Method, messages: AsyncIterable[Any], what: str,
                          timeout: float | None) -> AsyncIterator[Any]:
        """Sends messages, in a task of its own, while answers are read. What `messages` raises is raised here."""
        start = self._open().stream_stream(method.path, request_serializer=method.request.SerializeToString,
                                           response_deserializer=method.response.FromString)
        responses = start(timeout=timeout, metadata=self._settings.metadata())
        deadline = None if timeout is None else time.monotonic() + timeout
        broken: list[Exception] = []
        sender = asyncio.create_task(_send(responses, messages, broken))
        try:
            async for message in self._read(responses, what):
                yield message
        except (TandemError, asyncio.CancelledError) as error:
            if broken:
                raise broken[0] from None
            if isinstance(error, TandemError) and error.code is grpc.StatusCode.INTERNAL:
                raise self._reason_of_internal(error, deadline) from None
            raise
        finally:
            responses.cancel()
            sender.cancel()

    def _reason_of_internal(self, error: TandemError, deadline: float | None) -> TandemError:
        """Why a stream ended. A write to a call that has just ended makes gRPC for asyncio forget the call's status."""
        if error.details != "Internal error from Core":
            return error
        if deadline is not None and time.monotonic() >= deadline:
            return make_error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", error.what, self.address)
        return make_error(grpc.StatusCode.UNAVAILABLE, "the stream ended while requests were sent", error.what,
                          self.address)

    def _open(self) -> Any:
        """-> the channel. It is made here, as gRPC takes the loop that runs when it makes one."""
        if self._channel is None:
            settings, options = self._settings, self._settings.options()
            if settings.tls is None:
                self._channel = grpc.aio.insecure_channel(settings.address, options)
            else:
                self._channel = grpc.aio.secure_channel(settings.address, settings.tls.credentials(), options)
        return self._channel

    async def _read(self, responses: Any, what: str) -> AsyncIterator[Any]:
        try:
            async for message in responses:
                yield message
        except grpc.RpcError as failure:
            raise self._error(failure, what, 1) from None
        finally:
            responses.cancel()

    def _unary(self, method: _wire.Method) -> Callable[..., Any]:
        if method.path not in self._unary_calls:
            self._unary_calls[method.path] = self._open().unary_unary(
                method.path, request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString)
        return self._unary_calls[method.path]


class AsyncChannelUser:
    """A client on a channel of its own, which ends with it."""

    _channel: AsyncChannel

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; calls in flight end with Cancelled."""
        await self._channel.close()


async def _send(call: Any, messages: AsyncIterable[Any], broken: list[Exception]) -> None:
    """Writes all messages and says that there are no more. When they cannot be made the call is cancelled; when the
    call has ended its reader is told."""
    try:
        async for message in messages:
            await call.write(message)
        await call.done_writing()
    except (grpc.RpcError, asyncio.InvalidStateError):
        return
    except Exception as error:  # handed to the reader, whatever it is
        broken.append(error)
        call.cancel()


async def as_async(messages: Iterable[T]) -> AsyncIterator[T]:
    """The same, for `async for`."""
    for message in messages:
        yield message
