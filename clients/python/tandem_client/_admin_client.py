"""The blocking client of the admin port."""
from collections.abc import Callable, Mapping, Sequence

from tandem_client import _admin_calls, _evaluation, _wire, admin
from tandem_client._admin_calls import Note
from tandem_client._calls import result_in
from tandem_client._channel import Channel, ChannelUser
from tandem_client._connection import Settings, Tls
from tandem_client._retry import RetryPolicy
from tandem_client._tensors import Array


class AdminClient(ChannelUser):
    """Looks at a server and changes it, through its admin port. The arguments are those of Client; `timeout` has no
    limit by default, as loading takes what it takes.

    Questions are asked again as `retry` says; a change is made once. `who` and `why` of a change are for the history.
    admin.proto says what each call does and refuses; every one raises TandemError. `version` 0 is the newest that
    serves.
    """

    def __init__(self, address: str, *, tls: Tls | None = None, token: str | None = None, timeout: float | None = None,
                 retry: RetryPolicy = RetryPolicy(), keepalive: float | None = 60.0) -> None:
        self._channel = Channel(Settings(address, tls, token, timeout, keepalive), retry)

    def models(self, *, timeout: float | None = None) -> tuple[admin.Model, ...]:
        """Every model known, by name."""
        return self._channel.run(_admin_calls.models(), timeout, None)

    def model(self, model: str, *, timeout: float | None = None) -> admin.Model:
        return self._channel.run(_admin_calls.model(model), timeout, None)

    def load_model(self, model: str, *, who: str = "", why: str = "", timeout: float | None = None) -> admin.Model:
        """Returns when the model serves."""
        return self._channel.run(_admin_calls.load_model(model, Note(who, why)), timeout, None)

    def unload_model(self, model: str, *, who: str = "", why: str = "", timeout: float | None = None) -> None:
        """Takes every version out of service, until load_model and across restarts."""
        self._channel.run(_admin_calls.unload_model(model, Note(who, why)), timeout, None)

    def quantize(self, model: str, *, version: int = 0, anew: bool = False,
                 progress: Callable[[admin.BuildProgress], None] | None = None, who: str = "", why: str = "",
                 timeout: float | None = None) -> admin.Variant:
        """Builds the int8 sibling, tells `progress` how far it is, and returns int8 with its verdict. The build goes on
        when the caller leaves. Cancelled when the build was cancelled, Aborted when it failed."""
        call = _admin_calls.quantize(model, version, anew, Note(who, why))
        for message in self._channel.server_stream(call, timeout):
            if (result := result_in(call.parse(message), admin.Variant, progress)) is not None:
                return result
        raise self._channel.ended_early(call.what)

    def cancel_quantize(self, model: str, *, version: int = 0, who: str = "", why: str = "",
                        timeout: float | None = None) -> None:
        """Ends the build that runs or waits for its turn."""
        self._channel.run(_admin_calls.cancel_quantize(model, version, Note(who, why)), timeout, None)

    def rollback(self, model: str, *, to_version: int = 0, who: str = "", why: str = "",
                 timeout: float | None = None) -> admin.Version:
        """Has an older version, 0: the one before, serve in place of newer ones."""
        return self._channel.run(_admin_calls.rollback(model, to_version, Note(who, why)), timeout, None)

    def route(self, model: str, *, timeout: float | None = None) -> admin.RouteState:
        """How requests that ask for no variant choose one."""
        return self._channel.run(_admin_calls.route(model), timeout, None)

    def set_route(self, model: str, route: admin.Route, *, who: str = "", why: str = "",
                  timeout: float | None = None) -> admin.RouteState:
        """Overrides the route of config.yaml, until clear_route and across restarts."""
        return self._channel.run(_admin_calls.set_route(model, route, Note(who, why)), timeout, None)

    def clear_route(self, model: str, *, who: str = "", why: str = "",
                    timeout: float | None = None) -> admin.RouteState:
        """Removes the override: config.yaml counts again."""
        return self._channel.run(_admin_calls.clear_route(model, Note(who, why)), timeout, None)

    def promote(self, model: str, *, force: bool = False, who: str = "", why: str = "",
                timeout: float | None = None) -> admin.Version:
        """Has int8 serve by the route auto; `force`: even if it is not proven."""
        return self._channel.run(_admin_calls.promote(model, force, Note(who, why)), timeout, None)

    def demote(self, model: str, *, who: str = "", why: str = "", timeout: float | None = None) -> admin.Version:
        """Has fp32 serve by the route auto again."""
        return self._channel.run(_admin_calls.demote(model, Note(who, why)), timeout, None)

    def evaluate(self, model: str, *, versions: Sequence[int] = (), samples: Mapping[str, Array] | None = None,
                 labels: Array | None = None, progress: Callable[[admin.BuildProgress], None] | None = None,
                 timeout: float | None = None) -> admin.Evaluation:
        """Scores all variants of a version, or of several, on the same samples, and tells `progress` how far it is.

        `samples` are arrays by input name, as in a model's samples/inputs.npz, and `labels` the class of each; None:
        those beside the model. It ends when the caller leaves. ResourceExhausted while another one runs.
        """
        what = f"evaluate {model!r}"
        messages = _evaluation.messages(model, versions, samples, labels)
        method = _wire.method(_wire.ADMIN, "Evaluate")
        for message in self._channel.both_stream(method, messages, what, timeout):
            if (result := result_in(_evaluation.parse(message), admin.Evaluation, progress)) is not None:
                return result
        raise self._channel.ended_early(what)

    def compare(self, model: str, *, version: int = 0, timeout: float | None = None) -> admin.Comparison:
        """What live requests have shown of fp32 and int8."""
        return self._channel.run(_admin_calls.compare(model, version), timeout, None)

    def report_outcome(self, model: str, request_id: str, *, right: bool | None = None, label: int | None = None,
                       timeout: float | None = None) -> admin.Outcome:
        """Tells whether an answer was right, or what the true class is. ValueError unless one of the two is given."""
        return self._channel.run(_admin_calls.report_outcome(model, request_id, right, label), timeout, None)

    def history(self, model: str = "", *, kind: str = "", before_id: int = 0, limit: int = 0,
                timeout: float | None = None) -> tuple[admin.Event, ...]:
        """What has happened, newest first: at most `limit`, 0: 100. For the next page `before_id` is the last one's."""
        return self._channel.run(_admin_calls.history(model, kind, before_id, limit), timeout, None)
