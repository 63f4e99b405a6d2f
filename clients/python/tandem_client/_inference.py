"""Requests for inference, their answers, and what a server tells of its models; and how each goes over the wire."""
import dataclasses
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import grpc

from tandem_client import _wire
from tandem_client._errors import TandemError
from tandem_client._tensors import Array, Input, decode, encode

T = TypeVar("T")
Parameter = bool | int | float | str


@dataclasses.dataclass(frozen=True)
class Call(Generic[T]):
    """A call to make: the message to send, and what the answer means. `what` names it in errors. One that is not
    `repeatable` is made once whatever becomes of it, as it may have been carried out."""

    method: _wire.Method
    request: Any
    parse: Callable[[Any], T]
    what: str
    repeatable: bool = True


@dataclasses.dataclass(frozen=True, eq=False)
class InferRequest:
    """One inference.

    `inputs` are arrays by name, of the model's own types and shapes, batch included; `outputs` are the names wanted,
    all when empty. `version`: 0 for the one that serves. `variant`: "fp32" or "int8"; None for whichever the model's
    route picks. By the route `split` requests with the same `routing_key` get the same variant.

    `priority` goes from 1, the most urgent, to 10; 0 is like 10. `queue_timeout` is how many seconds the request may
    wait for a worker. `request_id` comes back with the answer; an outcome is reported by it. `parameters` are further
    ones.
    """

    model: str
    inputs: Mapping[str, Input]
    outputs: Sequence[str] = ()
    version: int = 0
    variant: str | None = None
    routing_key: str | None = None
    priority: int = 0
    queue_timeout: float | None = None
    request_id: str = ""
    parameters: Mapping[str, Parameter] = dataclasses.field(default_factory=dict)

    def message(self) -> Any:
        """TypeError and ValueError name what cannot be sent."""
        message = _wire.method(_wire.INFERENCE, "ModelInfer").request(
            model_name=self.model, model_version=str(self.version) if self.version else "", id=self.request_id)
        for name, value in self.inputs.items():
            datatype, shape, raw = encode(name, value)
            message.inputs.add(name=name, datatype=datatype, shape=shape)
            message.raw_input_contents.append(raw)
        for name in self.outputs:
            message.outputs.add(name=name)
        for key, parameter in self._all_parameters().items():
            _set_parameter(message.parameters[key], key, parameter)
        return message

    def _all_parameters(self) -> dict[str, Parameter]:
        chosen = dict(self.parameters)
        if self.variant is not None:
            chosen["variant"] = self.variant
        if self.routing_key is not None:
            chosen["routing_key"] = self.routing_key
        if self.priority:
            chosen["priority"] = self.priority
        if self.queue_timeout is not None:
            if self.queue_timeout <= 0:
                raise ValueError(f"queue_timeout is {self.queue_timeout} s; it must be positive")
            chosen["timeout"] = max(1, round(self.queue_timeout * 1e6))
        return chosen

    def with_id(self) -> "InferRequest":
        """The same, with an id that nobody else has if it has none."""
        return self if self.request_id else dataclasses.replace(self, request_id=uuid.uuid4().hex)


@dataclasses.dataclass(frozen=True, eq=False)
class InferResult:
    """An answer: arrays by output name, and what computed them. The arrays are views of the answer, not to be
    written."""

    model: str
    version: int
    variant: str
    request_id: str
    outputs: Mapping[str, Array]

    def __getitem__(self, output: str) -> Array:
        return self.outputs[output]


@dataclasses.dataclass(frozen=True, eq=False)
class StreamAnswer:
    """What came of one request on a stream. Answers may overtake each other: `request_id` says which it was."""

    request_id: str
    _outcome: InferResult | TandemError

    @property
    def error(self) -> TandemError | None:
        """Why the request was refused; None if it was answered. Streams do not tell status codes: its `code` is
        UNKNOWN."""
        return self._outcome if isinstance(self._outcome, TandemError) else None

    def result(self) -> InferResult:
        """Raises what `error` is if the request was refused."""
        if isinstance(self._outcome, TandemError):
            raise self._outcome
        return self._outcome


@dataclasses.dataclass(frozen=True)
class TensorMetadata:
    """-1 in `shape` is a free dimension."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class ModelMetadata:
    """What a model takes and gives, and its versions."""

    name: str
    versions: tuple[int, ...]
    platform: str
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]


@dataclasses.dataclass(frozen=True)
class ServerMetadata:
    """`extensions` are the names of those of the protocol that are spoken."""

    name: str
    version: str
    extensions: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class IndexEntry:
    """One version in the server's repository: READY, LOADING, UNLOADING or UNAVAILABLE, and why."""

    model: str
    version: int
    state: str
    reason: str


def infer(request: InferRequest) -> Call[InferResult]:
    return _call("ModelInfer", request.message(), parse_result, f"inference by {request.model!r}")


def server_live() -> Call[bool]:
    return _call("ServerLive", {}, lambda answer: bool(answer.live), "ask whether the server is live")


def server_ready() -> Call[bool]:
    return _call("ServerReady", {}, lambda answer: bool(answer.ready), "ask whether the server is ready")


def model_ready(model: str, version: int) -> Call[bool]:
    return _call("ModelReady", {"name": model, "version": _version(version)}, lambda answer: bool(answer.ready),
                 f"ask whether {model!r} is ready")


def server_metadata() -> Call[ServerMetadata]:
    return _call("ServerMetadata", {},
                 lambda answer: ServerMetadata(answer.name, answer.version, tuple(answer.extensions)),
                 "metadata of the server")


def model_metadata(model: str, version: int) -> Call[ModelMetadata]:
    def tensors(found: Any) -> tuple[TensorMetadata, ...]:
        return tuple(TensorMetadata(tensor.name, tensor.datatype, tuple(tensor.shape)) for tensor in found)

    def parse(answer: Any) -> ModelMetadata:
        return ModelMetadata(answer.name, tuple(map(int, answer.versions)), answer.platform, tensors(answer.inputs),
                             tensors(answer.outputs))
    return _call("ModelMetadata", {"name": model, "version": _version(version)}, parse, f"metadata of {model!r}")


def model_parameters(model: str, version: int) -> Call[dict[str, str]]:
    def parse(answer: Any) -> dict[str, str]:
        return {key: answer.config.parameters[key].string_value for key in sorted(answer.config.parameters)}
    return _call("ModelConfig", {"name": model, "version": _version(version)}, parse, f"configuration of {model!r}")


def index() -> Call[tuple[IndexEntry, ...]]:
    def parse(answer: Any) -> tuple[IndexEntry, ...]:
        return tuple(IndexEntry(entry.name, int(entry.version or 0), entry.state, entry.reason)
                     for entry in answer.models)
    return _call("RepositoryIndex", {}, parse, "index of the models")


def parse_result(answer: Any) -> InferResult:
    """ValueError when the answer is not what the protocol says."""
    if len(answer.raw_output_contents) != len(answer.outputs):
        raise ValueError(f"the answer has {len(answer.outputs)} outputs and the contents of "
                         f"{len(answer.raw_output_contents)}")
    outputs = {output.name: decode(output.name, output.datatype, output.shape, raw)
               for output, raw in zip(answer.outputs, answer.raw_output_contents)}
    variant = answer.parameters["variant"].string_param if "variant" in answer.parameters else ""
    return InferResult(answer.model_name, int(answer.model_version), variant, answer.id, outputs)


def parse_stream_answer(answer: Any, address: str) -> StreamAnswer:
    request_id = answer.infer_response.id
    if answer.error_message:
        return StreamAnswer(request_id, TandemError(grpc.StatusCode.UNKNOWN, answer.error_message,
                                                    f"request {request_id!r} on a stream", address))
    return StreamAnswer(request_id, parse_result(answer.infer_response))


def _version(version: int) -> str:
    return str(version) if version else ""


def _call(name: str, request: Any, parse: Callable[[Any], T], what: str) -> Call[T]:
    method = _wire.method(_wire.INFERENCE, name)
    return Call(method, method.request(**request) if isinstance(request, dict) else request, parse, what)


def _set_parameter(message: Any, key: str, value: Parameter) -> None:
    for kind, field in ((bool, "bool_param"), (int, "int64_param"), (float, "double_param"), (str, "string_param")):
        if isinstance(value, kind):
            setattr(message, field, value)
            return
    raise TypeError(f"parameter {key!r}: expected a bool, int, float or str, got {type(value).__name__}")
