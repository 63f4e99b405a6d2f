"""The calls of the admin port: what each sends, and what its answer means."""
import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from tandem_client import _wire, admin
from tandem_client._inference import Call
from tandem_client._records import from_message

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Note:
    """Who changes something, and why, for the history. An empty `who` is recorded as the caller's address."""

    who: str = ""
    why: str = ""


def models() -> Call[tuple[admin.Model, ...]]:
    return _call("ListModels", "list of the models", {},
                 lambda answer: tuple(from_message(admin.Model, model) for model in answer.models))


def model(name: str) -> Call[admin.Model]:
    return _call("GetModel", f"state of {name!r}", {"model": name}, _model)


def load_model(name: str, note: Note) -> Call[admin.Model]:
    return _change("LoadModel", f"load {name!r}", {"model": name}, note, _model)


def unload_model(name: str, note: Note) -> Call[None]:
    return _change("UnloadModel", f"unload {name!r}", {"model": name}, note, _nothing)


def quantize(name: str, version: int, anew: bool, note: Note) -> Call[admin.BuildProgress | admin.Variant]:
    def parse(answer: Any) -> admin.BuildProgress | admin.Variant:
        if answer.WhichOneof("step") == "progress":
            return from_message(admin.BuildProgress, answer.progress)
        return from_message(admin.Variant, answer.result)
    return _change("Quantize", f"quantize {name!r}", {"model": name, "version": version, "anew": anew}, note, parse)


def cancel_quantize(name: str, version: int, note: Note) -> Call[None]:
    return _change("CancelQuantize", f"cancel the build of {name!r}", {"model": name, "version": version}, note,
                   _nothing)


def rollback(name: str, to_version: int, note: Note) -> Call[admin.Version]:
    return _change("Rollback", f"roll {name!r} back", {"model": name, "to_version": to_version}, note, _version)


def route(name: str) -> Call[admin.RouteState]:
    return _call("GetRoute", f"route of {name!r}", {"model": name}, _route)


def set_route(name: str, wanted: admin.Route, note: Note) -> Call[admin.RouteState]:
    fields: dict[str, Any] = {"mode": wanted.mode, "weights": dict(wanted.weights),
                              "candidate_version": wanted.candidate_version}
    for name_of_share in ("shadow_rate", "candidate_weight"):
        share = getattr(wanted, name_of_share)
        if share is not None:
            fields[name_of_share] = share
    return _change("SetRoute", f"set the route of {name!r}", {"model": name, "route": fields}, note, _route)


def clear_route(name: str, note: Note) -> Call[admin.RouteState]:
    return _change("ClearRoute", f"clear the route of {name!r}", {"model": name}, note, _route)


def promote(name: str, force: bool, note: Note) -> Call[admin.Version]:
    return _change("Promote", f"promote int8 of {name!r}", {"model": name, "force": force}, note, _version)


def demote(name: str, note: Note) -> Call[admin.Version]:
    return _change("Demote", f"demote int8 of {name!r}", {"model": name}, note, _version)


def compare(name: str, version: int) -> Call[admin.Comparison]:
    return _call("Compare", f"comparison of {name!r}", {"model": name, "version": version},
                 lambda answer: from_message(admin.Comparison, answer))


def report_outcome(name: str, request_id: str, right: bool | None, label: int | None) -> Call[admin.Outcome]:
    if (right is None) == (label is None):
        raise ValueError("report_outcome: give either right or label")
    outcome = {"right": right} if label is None else {"label": label}
    return dataclasses.replace(
        _call("ReportOutcome", f"outcome of {request_id!r} by {name!r}",
              {"model": name, "request_id": request_id, **outcome}, lambda answer: from_message(admin.Outcome, answer)),
        repeatable=False)


def history(name: str, kind: str, before_id: int, limit: int) -> Call[tuple[admin.Event, ...]]:
    return _call("GetHistory", f"history of {name!r}" if name else "history",
                 {"model": name, "kind": kind, "before_id": before_id, "limit": limit},
                 lambda answer: tuple(from_message(admin.Event, event) for event in answer.events))


def _call(name: str, what: str, fields: dict[str, Any], parse: Callable[[Any], T]) -> Call[T]:
    method = _wire.method(_wire.ADMIN, name)
    return Call(method, method.request(**fields), parse, what)


def _change(name: str, what: str, fields: dict[str, Any], note: Note, parse: Callable[[Any], T]) -> Call[T]:
    """A call that is not made again: the change may have been made before the answer was lost."""
    fields = {**fields, "note": {"who": note.who, "why": note.why}}
    return dataclasses.replace(_call(name, what, fields, parse), repeatable=False)


def _model(answer: Any) -> admin.Model:
    return from_message(admin.Model, answer.model)


def _version(answer: Any) -> admin.Version:
    return from_message(admin.Version, answer.version)


def _route(answer: Any) -> admin.RouteState:
    return from_message(admin.RouteState, answer.route)


def _nothing(_: Any) -> None:
    return None
