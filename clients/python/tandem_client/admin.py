"""What the admin port answers with. The fields are those of proto/tandem/admin/v1/admin.proto, which says what each
means; `None` is what a message may leave out."""
import dataclasses
import datetime
import json
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Author:
    """Who made a change, why and when."""

    who: str
    why: str
    when: datetime.datetime


@dataclasses.dataclass(frozen=True)
class Loss:
    """What int8 loses by `metric`, with the ends of its confidence interval, and what is accepted."""

    metric: str
    value: float
    lower_bound: float
    upper_bound: float
    budget: float
    samples: int


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the report of an int8 sibling says. `speedup`: 0 when it was not measured."""

    method: str
    loss: Loss | None
    speedup: float
    int8_layers: int
    fp32_layers: int


@dataclasses.dataclass(frozen=True)
class BuildProgress:
    """How far a build is: `done`, from 0 to 1, of its stage. `seconds_left` of the whole is an estimate; 0: not
    known."""

    stage: str
    done: float
    seconds_left: float


@dataclasses.dataclass(frozen=True)
class Variant:
    """fp32 or int8 of a version: its state and why, and whether requests can ask for it (`loaded`)."""

    name: str
    state: str
    reason: str
    loaded: bool
    weight_bytes: int
    progress: BuildProgress | None
    verdict: Verdict | None


@dataclasses.dataclass(frozen=True)
class Version:
    """A version of a model, its state and why, and which variant answers requests that ask for none."""

    number: int
    state: str
    reason: str
    variants: tuple[Variant, ...]
    answering_variant: str
    max_batch_size: int


@dataclasses.dataclass(frozen=True)
class Route:
    """How requests that ask for no variant choose one: `mode` is fp32, int8, split, shadow or auto. With a candidate,
    by split or shadow, they choose between that version and the newest other one. What is left out when a route is
    set is as in config.yaml, but for the candidate."""

    mode: str = ""
    weights: Mapping[str, float] = dataclasses.field(default_factory=dict)
    shadow_rate: float | None = None
    candidate_version: int = 0
    candidate_weight: float | None = None


@dataclasses.dataclass(frozen=True)
class RouteOverride:
    """A route that an operator has set."""

    route: Route
    author: Author


@dataclasses.dataclass(frozen=True)
class RouteState:
    """The route of config.yaml, the one that is carried out, and the override if there is one. `candidate_problem` is
    why a candidate takes no part; empty: it does, or there is none."""

    desired: Route
    effective: Route
    override: RouteOverride | None
    candidate_problem: str


@dataclasses.dataclass(frozen=True)
class Model:
    """A model with its versions, ascending. `serving_version`: 0 when none serves."""

    name: str
    versions: tuple[Version, ...]
    route: RouteState
    serving_version: int


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that has happened: `kind` says what, to a version or (0) the model as a whole."""

    id: int
    model: str
    version: int
    kind: str
    author: Author
    detail_json: str

    @property
    def detail(self) -> dict[str, Any]:
        """What changed, by kind."""
        found: dict[str, Any] = json.loads(self.detail_json or "{}")
        return found


@dataclasses.dataclass(frozen=True)
class OutputEvidence:
    """What was compared of one output."""

    rows: int
    changed_rows: int
    mean_noise: float
    largest_noise: float
    mean_cosine: float


@dataclasses.dataclass(frozen=True)
class LatencyBucket:
    """How many took up to `at_most_seconds` and longer than the bucket before says."""

    at_most_seconds: float
    count: int


@dataclasses.dataclass(frozen=True)
class ArmEvidence:
    """What one variant took, and how many of its answers were right by outcomes that were reported."""

    latency: tuple[LatencyBucket, ...]
    mean_seconds: float
    outcomes: int
    outcomes_right: int


@dataclasses.dataclass(frozen=True)
class TestEvidence:
    """One test: the mean loss with an interval that is valid however often one looks, its budget and its verdict."""

    samples: int
    mean_loss: float
    lower_bound: float
    upper_bound: float
    budget: float
    verdict: str
    alarm: bool


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What is known of fp32 and int8 from requests that both have answered, with the verdict and why. Where
    `baseline_version` is not 0 two versions were compared: that one is in the place of fp32, and `version` of int8."""

    version: int
    baseline_version: int
    verdict: str
    reason: str
    attempt: int
    int8_serves: bool
    alarm: bool
    metric: str
    comparisons: int
    duplicates: int
    dropped: int
    paired_outcomes: int
    agreement: float
    relative_error: float
    cosine: float
    latency_ratio: float
    outputs: tuple[OutputEvidence, ...]
    fp32: ArmEvidence
    int8: ArmEvidence
    changes: TestEvidence
    accuracy: TestEvidence


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Whose answer an outcome was of, and whether it was right; of the other variant too where both have answered."""

    version: int
    variant: str
    right: bool
    other_right: bool | None


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A value with the bounds of its interval."""

    value: float
    lower_bound: float
    upper_bound: float


@dataclasses.dataclass(frozen=True)
class Difference:
    """One variant beside the first: the loss by the evaluation's metric, and what else differs. `changed` is the
    share of answers that do, of classifiers only; `changed_samples` are the first hundred; with labels some became right
    and some wrong."""

    loss: Estimate | None
    sqnr_db: float
    relative_error: float
    time_ratio: float
    changed: Estimate | None
    samples_changed: int
    changed_samples: tuple[int, ...]
    samples_to_right: int
    samples_to_wrong: int


@dataclasses.dataclass(frozen=True)
class Score:
    """What one variant of a version took, how often it was right, with labels only, and how it differs from the
    first."""

    version: int
    variant: str
    median_seconds: float
    p99_seconds: float
    accuracy: Estimate | None
    difference: Difference | None


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Variants scored on the same samples. The first score is of fp32 of the first version; `metric` says what a loss
    is of, and `reason` why that one."""

    samples: int
    metric: str
    reason: str
    confidence: float
    scores: tuple[Score, ...]
