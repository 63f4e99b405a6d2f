"""The blocking client of the public port."""
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tandem_client import _inference, _wire
from tandem_client._channel import Channel, ChannelUser
from tandem_client._connection import Settings, Tls
from tandem_client._inference import (IndexEntry, InferRequest, InferResult, ModelMetadata, Parameter, ServerMetadata,
                                      StreamAnswer)
from tandem_client._retry import RetryPolicy
from tandem_client._tensors import Input


class Client(ChannelUser):
    """Asks one server, as "HOST:PORT". Made once and used by any number of threads; it connects at the first call.

    `timeout` is the deadline in seconds of calls that do not give their own, all attempts included; None: no
    deadline. `retry` says which failures are tried again. `keepalive` is how often, in seconds, an idle connection is
    looked after, so that one that was cut off is noticed; None: never. `token` goes with each call as `authorization:
    Bearer`.

    Every method raises TandemError, of a class for each status code, with the server's own words in it.
    """

    def __init__(self, address: str, *, tls: Tls | None = None, token: str | None = None, timeout: float | None = 30.0,
                 retry: RetryPolicy = RetryPolicy(), keepalive: float | None = 60.0) -> None:
        self._channel = Channel(Settings(address, tls, token, timeout, keepalive), retry)

    def infer(self, model: str, inputs: Mapping[str, Input], *, outputs: Sequence[str] = (), version: int = 0,
              variant: str | None = None, routing_key: str | None = None, priority: int = 0,
              queue_timeout: float | None = None, request_id: str = "",
              parameters: Mapping[str, Parameter] | None = None, timeout: float | None = None,
              retry: RetryPolicy | None = None) -> InferResult:
        """One inference; InferRequest says what the arguments mean. `timeout` and `retry` are this call's own.

        TypeError and ValueError name an input that cannot be sent.
        """
        return self.infer_request(
            InferRequest(model, inputs, outputs, version, variant, routing_key, priority, queue_timeout, request_id,
                         parameters or {}), timeout=timeout, retry=retry)

    def infer_request(self, request: InferRequest, *, timeout: float | None = None,
                      retry: RetryPolicy | None = None) -> InferResult:
        return self._channel.run(_inference.infer(request), timeout, retry)

    def stream(self, requests: Iterable[InferRequest], *, timeout: float | None = None) -> Iterator[StreamAnswer]:
        """Many inferences on one stream, answered as they are done. Requests without an id get one.

        `requests` are taken by another thread, as fast as the server reads them. Nothing is tried again: what was not
        answered when the stream ends with an error is the caller's to send elsewhere. `timeout` is the whole stream's;
        None: no deadline. Leaving the iterator early ends the stream.
        """
        messages = (request.with_id().message() for request in requests)
        method = _wire.method(_wire.INFERENCE, "ModelStreamInfer")
        for answer in self._channel.both_stream(method, messages, "stream of inferences", timeout):
            yield _inference.parse_stream_answer(answer, self._channel.address)

    def live(self, *, timeout: float | None = None) -> bool:
        """Whether the process answers."""
        return self._channel.run(_inference.server_live(), timeout, None)

    def ready(self, *, timeout: float | None = None) -> bool:
        """Whether the models that must be ready are."""
        return self._channel.run(_inference.server_ready(), timeout, None)

    def model_ready(self, model: str, version: int = 0, *, timeout: float | None = None) -> bool:
        """Whether this version, 0 for any, takes requests."""
        return self._channel.run(_inference.model_ready(model, version), timeout, None)

    def metadata(self, model: str, version: int = 0, *, timeout: float | None = None) -> ModelMetadata:
        """What a model takes and gives."""
        return self._channel.run(_inference.model_metadata(model, version), timeout, None)

    def model_parameters(self, model: str, version: int = 0, *, timeout: float | None = None) -> dict[str, str]:
        """What the server tells of a model's variants and route, by keys such as `variant.int8.state`."""
        return self._channel.run(_inference.model_parameters(model, version), timeout, None)

    def server_metadata(self, *, timeout: float | None = None) -> ServerMetadata:
        return self._channel.run(_inference.server_metadata(), timeout, None)

    def models(self, *, timeout: float | None = None) -> tuple[IndexEntry, ...]:
        """Every version known, with its state."""
        return self._channel.run(_inference.index(), timeout, None)
