"""The client of the public port for asyncio."""
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from tandem_client import _inference, _wire
from tandem_client._async_channel import AsyncChannel, AsyncChannelUser, as_async
from tandem_client._connection import Settings, Tls
from tandem_client._inference import (IndexEntry, InferRequest, InferResult, ModelMetadata, Parameter, ServerMetadata,
                                      StreamAnswer)
from tandem_client._retry import RetryPolicy
from tandem_client._tensors import Input


class AsyncClient(AsyncChannelUser):
    """What Client is, with the same arguments and methods, for one event loop: any number of its tasks may use it. A
    call whose task is cancelled is cancelled."""

    def __init__(self, address: str, *, tls: Tls | None = None, token: str | None = None, timeout: float | None = 30.0,
                 retry: RetryPolicy = RetryPolicy(), keepalive: float | None = 60.0) -> None:
        self._channel = AsyncChannel(Settings(address, tls, token, timeout, keepalive), retry)

    async def infer(self, model: str, inputs: Mapping[str, Input], *, outputs: Sequence[str] = (), version: int = 0,
                    variant: str | None = None, routing_key: str | None = None, priority: int = 0,
                    queue_timeout: float | None = None, request_id: str = "",
                    parameters: Mapping[str, Parameter] | None = None, timeout: float | None = None,
                    retry: RetryPolicy | None = None) -> InferResult:
        return await self.infer_request(
            InferRequest(model, inputs, outputs, version, variant, routing_key, priority, queue_timeout, request_id,
                         parameters or {}), timeout=timeout, retry=retry)

    async def infer_request(self, request: InferRequest, *, timeout: float | None = None,
                            retry: RetryPolicy | None = None) -> InferResult:
        return await self._channel.run(_inference.infer(request), timeout, retry)

    async def stream(self, requests: AsyncIterable[InferRequest] | Iterable[InferRequest], *,
                     timeout: float | None = None) -> AsyncIterator[StreamAnswer]:
        """As Client.stream; `requests` are taken by another task."""
        method = _wire.method(_wire.INFERENCE, "ModelStreamInfer")
        async for answer in self._channel.both_stream(method, _messages(requests), "stream of inferences", timeout):
            yield _inference.parse_stream_answer(answer, self._channel.address)

    async def live(self, *, timeout: float | None = None) -> bool:
        return await self._channel.run(_inference.server_live(), timeout, None)

    async def ready(self, *, timeout: float | None = None) -> bool:
        return await self._channel.run(_inference.server_ready(), timeout, None)

    async def model_ready(self, model: str, version: int = 0, *, timeout: float | None = None) -> bool:
        return await self._channel.run(_inference.model_ready(model, version), timeout, None)

    async def metadata(self, model: str, version: int = 0, *, timeout: float | None = None) -> ModelMetadata:
        return await self._channel.run(_inference.model_metadata(model, version), timeout, None)

    async def model_parameters(self, model: str, version: int = 0, *, timeout: float | None = None) -> dict[str, str]:
        return await self._channel.run(_inference.model_parameters(model, version), timeout, None)

    async def server_metadata(self, *, timeout: float | None = None) -> ServerMetadata:
        return await self._channel.run(_inference.server_metadata(), timeout, None)

    async def models(self, *, timeout: float | None = None) -> tuple[IndexEntry, ...]:
        return await self._channel.run(_inference.index(), timeout, None)


async def _messages(requests: AsyncIterable[InferRequest] | Iterable[InferRequest]) -> AsyncIterator[Any]:
    async for request in requests if isinstance(requests, AsyncIterable) else as_async(requests):
        yield request.with_id().message()
