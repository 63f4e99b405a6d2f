"""The client of the admin port for asyncio."""
from collections.abc import Callable, Mapping, Sequence

from tandem_client import _admin_calls, _evaluation, _wire, admin
from tandem_client._admin_calls import Note
from tandem_client._async_channel import AsyncChannel, AsyncChannelUser, as_async
from tandem_client._calls import result_in
from tandem_client._connection import Settings, Tls
from tandem_client._retry import RetryPolicy
from tandem_client._tensors import Array


class AsyncAdminClient(AsyncChannelUser):
    """What AdminClient is, with the same arguments and methods, for one event loop."""

    def __init__(self, address: str, *, tls: Tls | None = None, token: str | None = None, timeout: float | None = None,
                 retry: RetryPolicy = RetryPolicy(), keepalive: float | None = 60.0) -> None:
        self._channel = AsyncChannel(Settings(address, tls, token, timeout, keepalive), retry)

    async def models(self, *, timeout: float | None = None) -> tuple[admin.Model, ...]:
        return await self._channel.run(_admin_calls.models(), timeout, None)

    async def model(self, model: str, *, timeout: float | None = None) -> admin.Model:
        return await self._channel.run(_admin_calls.model(model), timeout, None)

    async def load_model(self, model: str, *, who: str = "", why: str = "",
                         timeout: float | None = None) -> admin.Model:
        return await self._channel.run(_admin_calls.load_model(model, Note(who, why)), timeout, None)

    async def unload_model(self, model: str, *, who: str = "", why: str = "", timeout: float | None = None) -> None:
        await self._channel.run(_admin_calls.unload_model(model, Note(who, why)), timeout, None)

    async def quantize(self, model: str, *, version: int = 0, anew: bool = False,
                       progress: Callable[[admin.BuildProgress], None] | None = None, who: str = "", why: str = "",
                       timeout: float | None = None) -> admin.Variant:
        call = _admin_calls.quantize(model, version, anew, Note(who, why))
        async for message in self._channel.server_stream(call, timeout):
            if (result := result_in(call.parse(message), admin.Variant, progress)) is not None:
                return result
        raise self._channel.ended_early(call.what)

    async def cancel_quantize(self, model: str, *, version: int = 0, who: str = "", why: str = "",
                              timeout: float | None = None) -> None:
        await self._channel.run(_admin_calls.cancel_quantize(model, version, Note(who, why)), timeout, None)

    async def rollback(self, model: str, *, to_version: int = 0, who: str = "", why: str = "",
                       timeout: float | None = None) -> admin.Version:
        return await self._channel.run(_admin_calls.rollback(model, to_version, Note(who, why)), timeout, None)

    async def route(self, model: str, *, timeout: float | None = None) -> admin.RouteState:
        return await self._channel.run(_admin_calls.route(model), timeout, None)

    async def set_route(self, model: str, route: admin.Route, *, who: str = "", why: str = "",
                        timeout: float | None = None) -> admin.RouteState:
        return await self._channel.run(_admin_calls.set_route(model, route, Note(who, why)), timeout, None)

    async def clear_route(self, model: str, *, who: str = "", why: str = "",
                          timeout: float | None = None) -> admin.RouteState:
        return await self._channel.run(_admin_calls.clear_route(model, Note(who, why)), timeout, None)

    async def promote(self, model: str, *, force: bool = False, who: str = "", why: str = "",
                      timeout: float | None = None) -> admin.Version:
        return await self._channel.run(_admin_calls.promote(model, force, Note(who, why)), timeout, None)

    async def demote(self, model: str, *, who: str = "", why: str = "", timeout: float | None = None) -> admin.Version:
        return await self._channel.run(_admin_calls.demote(model, Note(who, why)), timeout, None)

    async def evaluate(self, model: str, *, versions: Sequence[int] = (), samples: Mapping[str, Array] | None = None,
                       labels: Array | None = None, progress: Callable[[admin.BuildProgress], None] | None = None,
                       timeout: float | None = None) -> admin.Evaluation:
        what = f"evaluate {model!r}"
        messages = _evaluation.messages(model, versions, samples, labels)
        method = _wire.method(_wire.ADMIN, "Evaluate")
        async for message in self._channel.both_stream(method, as_async(messages), what, timeout):
            if (result := result_in(_evaluation.parse(message), admin.Evaluation, progress)) is not None:
                return result
        raise self._channel.ended_early(what)

    async def compare(self, model: str, *, version: int = 0, timeout: float | None = None) -> admin.Comparison:
        return await self._channel.run(_admin_calls.compare(model, version), timeout, None)

    async def report_outcome(self, model: str, request_id: str, *, right: bool | None = None, label: int | None = None,
                             timeout: float | None = None) -> admin.Outcome:
        return await self._channel.run(_admin_calls.report_outcome(model, request_id, right, label), timeout, None)

    async def history(self, model: str = "", *, kind: str = "", before_id: int = 0, limit: int = 0,
                      timeout: float | None = None) -> tuple[admin.Event, ...]:
        return await self._channel.run(_admin_calls.history(model, kind, before_id, limit), timeout, None)
