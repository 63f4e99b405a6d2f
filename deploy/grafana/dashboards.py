"""Tandem's dashboards: a title asks a question, and the panel answers it. `generate.py` writes them as JSON."""
import panels as p

RATE = "$__rate_interval"
FAILURES = "UNKNOWN|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|INTERNAL|UNAVAILABLE|DATA_LOSS"  # as in tandem.rules.yml
PERCENT, SECONDS, BYTES, RATE_UNIT, TIMES = "percentunit", "s", "bytes", "reqps", "suffix:x"

JOB = p.variable("job", "Job", "label_values(tandem_build_info, job)", several=True)
INSTANCE = p.variable("instance", "Server", 'label_values(tandem_build_info{job=~"$job"}, instance)', several=True)
MODEL = p.variable("model", "Model", 'label_values(tandem_model_state{job=~"$job"}, model)', several=False)
VERSION = p.variable("version",
                     "Version",
                     'label_values(tandem_model_state{job=~"$job", model="$model"}, version)',
                     several=True)

ANNOTATIONS = [
    p.annotation("New versions", "blue", f'increase(tandem_version_swaps_total{{job=~"$job"}}[{RATE}]) > 0',
                 "{{model}}: another version serves"),
    p.annotation("Promotions", "purple", f'increase(tandem_promotions_total{{job=~"$job"}}[{RATE}]) > 0',
                 "{{model}}: int8 {{change}}"),
]

SERVERS = 'job=~"$job", instance=~"$instance"'
OF_MODEL = f'{SERVERS}, model="$model", version=~"$version"'


def rate(metric, labels, by):
    return f"sum by ({by}) (rate({metric}{{{labels}}}[{RATE}]))"


def quantile(q, metric, labels, by=""):
    return f"histogram_quantile({q}, {rate(f'{metric}_bucket', labels, f'{by}, le' if by else 'le')})"


def mean(metric, labels, by=""):
    if not by:
        return f"sum(rate({metric}_sum{{{labels}}}[{RATE}])) / sum(rate({metric}_count{{{labels}}}[{RATE}]))"
    return f"{rate(f'{metric}_sum', labels, by)} / {rate(f'{metric}_count', labels, by)}"


def error_share(labels):
    return (f'1 - sum(rate(tandem_requests_total{{{labels}, code!~"{FAILURES}"}}[{RATE}])) '
            f"/ sum(rate(tandem_requests_total{{{labels}}}[{RATE}]))")


def fleet():
    job = 'job=~"$job"'
    budget = p.steps((p.GREEN, None), (p.YELLOW, 0.001), (p.RED, 0.0144))
    busy = p.steps((p.GREEN, None), (p.YELLOW, 0.7), (p.RED, 0.9))
    return p.dashboard(
        "tandem-fleet", "Tandem / Fleet", "All servers and all models at a glance.", [JOB], ANNOTATIONS, [
            p.stat("Servers ready",
                   "Servers that take requests.",
                   f"sum(tandem_ready{{{job}}})",
                   thresholds=p.steps((p.RED, None), (p.GREEN, 1))),
            p.stat("Requests a second", "Answered, whatever the status.",
                   f"sum(rate(tandem_requests_total{{{job}}}[{RATE}]))", RATE_UNIT),
            p.stat("Requests that failed",
                   "By the server's doing; a client's mistakes do not count. The objective allows 0.1 %.",
                   error_share(job), PERCENT, budget, 2),
            p.stat("99 of 100 requests within", "From arrival to results, all models.",
                   quantile(0.99, "tandem_request_seconds", job), SECONDS),
            p.stat("Cores busy", "Batches that run, of those that may.",
                   f"sum(tandem_cores_busy{{{job}}}) / sum(tandem_cores{{{job}}})", PERCENT, busy, 0),
            p.stat("Alerts",
                   "Alerts of tandem.alerts.yml that fire.",
                   'count(ALERTS{alertname=~"Tandem.*", alertstate="firing"}) or vector(0)',
                   thresholds=p.steps((p.GREEN, None), (p.RED, 1))),
            p.lines("Which models are asked?",
                    "Requests a second.",
                    RATE_UNIT,
                    p.query(rate("tandem_requests_total", job, "model"), "{{model}}"),
                    stacked=True),
            p.lines("How long do requests take?",
                    "99 of 100 are faster, by model and variant.",
                    SECONDS,
                    p.query(quantile(0.99, "tandem_request_seconds", job, "model, variant"), "{{model}} {{variant}}"),
                    log=True),
            p.lines("How fast do models use up their error budget?",
                    "1: just in 30 days. From 14.4 on, an alert is critical.",
                    TIMES,
                    p.query(f"job_model:tandem_request_errors:ratio_rate1h{{{job}}} / 0.001", "{{model}}"),
                    thresholds=p.steps((p.GREEN, None), (p.YELLOW, 1), (p.RED, 14.4))),
            p.lines(
                "What is refused, and why?",
                "Requests a second that were not answered, by status code; the last kind never "
                "reached a model.", RATE_UNIT,
                p.query(f'sum by (model, code) (rate(tandem_requests_total{{{job}, code!="OK"}}[{RATE}]))',
                        "{{model}} {{code}}"),
                p.query(rate("tandem_refused_requests_total", job, "code"), "no model {{code}}")),
            p.lines("Do requests wait?",
                    "Share of their time that requests wait for a core, by server.",
                    PERCENT,
                    p.query(f"instance:tandem_request_queue:ratio_rate5m{{{job}}}", "{{instance}}"),
                    high=1,
                    thresholds=p.steps((p.GREEN, None), (p.RED, 0.5))),
            p.lines("Which variant serves?",
                    "Share of the requests without a wish that int8 answers.",
                    PERCENT,
                    p.query(f'avg by (model) (tandem_route_weight{{{job}, variant="int8"}})', "{{model}}"),
                    high=1),
            p.states(
                "Which versions are there?", "By model, version and state.",
                p.query(f"max by (model, version, state) (tandem_model_state{{{job}}})",
                        "{{model}} {{version}} {{state}}")),
            p.lines(
                "What changes?", "Loads, swaps and promotions of the last five minutes.", "short",
                p.query(f"sum by (outcome) (increase(tandem_version_loads_total{{{job}}}[5m]))", "load {{outcome}}"),
                p.query(f"sum(increase(tandem_version_swaps_total{{{job}}}[5m]))", "swap"),
                p.query(f"sum by (change) (increase(tandem_promotions_total{{{job}}}[5m]))", "int8 {{change}}")),
            p.table("What does each model do?", "Means of five minutes.", [
                ("Requests/s", RATE_UNIT, f"sum by (model) (job_model:tandem_requests:rate5m{{{job}}})"),
                ("p50", SECONDS, f"max by (model) (job_model_variant:tandem_request_seconds:p50_rate5m{{{job}}})"),
                ("p99", SECONDS, f"max by (model) (job_model_variant:tandem_request_seconds:p99_rate5m{{{job}}})"),
                ("Refused", PERCENT, f"sum by (model) (job_model:tandem_refusals:ratio_rate5m{{{job}}})"),
                ("int8 answers", PERCENT, f'avg by (model) (tandem_route_weight{{{job}, variant="int8"}})'),
                ("Weights", BYTES, f"sum by (model) (tandem_weight_bytes{{{job}}})"),
            ]),
        ])


def model():
    busy = p.steps((p.GREEN, None), (p.YELLOW, 0.001), (p.RED, 0.01))
    return p.dashboard("tandem-model", "Tandem / Model", "One model: its requests, its batches, its versions.", [
        JOB, INSTANCE, MODEL, VERSION
    ], ANNOTATIONS, [
        p.stat("Requests a second", "Answered, whatever the status.",
               f"sum(rate(tandem_requests_total{{{OF_MODEL}}}[{RATE}]))", RATE_UNIT),
        p.stat("Half the requests within", "From arrival to results.", quantile(0.5, "tandem_request_seconds",
                                                                                OF_MODEL), SECONDS),
        p.stat("99 of 100 within", "From arrival to results.", quantile(0.99, "tandem_request_seconds", OF_MODEL),
               SECONDS),
        p.stat("Requests that failed", "By the server's doing.", error_share(OF_MODEL), PERCENT, busy, 2),
        p.stat("Rows a batch", "Mean.", mean("tandem_batch_rows", OF_MODEL), decimals=1),
        p.stat("Requests waiting", "For a core, now.", f"sum(tandem_queued_requests{{{OF_MODEL}}})"),
        p.lines(
            "How long do requests take?", "Percentiles from arrival to results, of each variant.", SECONDS,
            *(p.query(quantile(q, "tandem_request_seconds", OF_MODEL, "variant"), f"{{{{variant}}}} p{round(100 * q)}")
              for q in (0.5, 0.9, 0.99))),
        p.lines("Who answers how many?",
                "Requests a second, by version and variant.",
                RATE_UNIT,
                p.query(rate("tandem_requests_total", OF_MODEL, "version, variant"), "{{version}} {{variant}}"),
                stacked=True),
        p.lines("Where does the time go?",
                "Means: waiting for a core, and in the batch that computes it.",
                SECONDS,
                p.query(mean("tandem_request_queue_seconds", OF_MODEL), "wait"),
                p.query(mean("tandem_request_compute_seconds", OF_MODEL), "compute"),
                stacked=True),
        p.heatmap("Are there slow requests?", "Requests by the time they took.",
                  f"sum by (le) (increase(tandem_request_seconds_bucket{{{OF_MODEL}}}[{RATE}]))", SECONDS),
        p.lines("How large are batches?", "Means, of rows and of requests.", "short",
                p.query(mean("tandem_batch_rows", OF_MODEL, "variant"), "{{variant}} rows"),
                p.query(
                    f"{rate('tandem_request_compute_seconds_count', OF_MODEL, 'variant')} "
                    f"/ {rate('tandem_batch_rows_count', OF_MODEL, 'variant')}", "{{variant}} requests")),
        p.lines("How many batches run on all cores?",
                "Share of the batches: lone requests, where it is faster.",
                PERCENT,
                p.query(
                    f"{rate('tandem_wide_batches_total', OF_MODEL, 'variant')} "
                    f"/ {rate('tandem_batch_rows_count', OF_MODEL, 'variant')}", "{{variant}}")),
        p.lines("How long is the queue?", "Requests that wait, by variant.", "short",
                p.query(f"sum by (variant) (tandem_queued_requests{{{OF_MODEL}}})", "{{variant}}")),
        p.lines("What is refused, and why?", "Requests a second that reached the model and were not run.", RATE_UNIT,
                p.query(rate("tandem_refusals_total", OF_MODEL, "reason"), "{{reason}}")),
        p.lines("How do requests end?",
                "Requests a second by status code.",
                RATE_UNIT,
                p.query(rate("tandem_requests_total", OF_MODEL, "code"), "{{code}}"),
                log=True),
        p.states("In which states are versions and their int8?", "Green while it is.",
                 p.query(f"max by (version, state) (tandem_model_state{{{OF_MODEL}}})", "{{version}} {{state}}"),
                 p.query(f"max by (version, state) (tandem_variant_state{{{OF_MODEL}}})",
                         "{{version}} int8 {{state}}")),
        p.lines("How much memory does it take?",
                "Weights, by version and variant, and the scratch memory of a worker that runs it.",
                BYTES,
                p.query(f"sum by (version, variant) (tandem_weight_bytes{{{OF_MODEL}}})", "{{version}} {{variant}}"),
                p.query(f"max by (version, variant) (tandem_arena_bytes{{{OF_MODEL}}})",
                        "{{version}} {{variant}} scratch")),
    ])


def variants():

    def both(metric, q):
        return p.query(quantile(q, metric, OF_MODEL, "variant"), f"{{{{variant}}}} p{round(100 * q)}")

    good = p.steps((p.RED, None), (p.YELLOW, 0.95), (p.GREEN, 0.98))
    changed = f'job=~"$job", model="$model", version=~"$version"'
    return p.dashboard(
        "tandem-variants", "Tandem / fp32 and int8", "Both variants of a model side by side: is int8 faster, is it "
        "right, who answers?", [JOB, INSTANCE, MODEL, VERSION], ANNOTATIONS, [
            p.stat("Verdict of live evidence",
                   "Undecided, proven or rejected.",
                   f"max by (verdict) (tandem_verdict{{{OF_MODEL}}})",
                   legend="{{verdict}}"),
            p.stat("int8 answers",
                   "Share of the requests without a wish.",
                   f'avg(tandem_route_weight{{{OF_MODEL}, variant="int8"}})',
                   PERCENT,
                   decimals=0),
            p.stat("Answers that are the same", "Of all requests that were compared.",
                   f"1 - sum(job_model_version:tandem_changed_answers:ratio{{{changed}}})", PERCENT, good, 2),
            p.stat("Times as fast, live", "Time of fp32 over that of int8, in comparisons.",
                   f"1 / avg(tandem_latency_ratio{{{OF_MODEL}}})", TIMES, p.steps((p.RED, None), (p.GREEN, 1)), 2),
            p.stat("Times as fast, when judged", "As the sibling's report has it.",
                   f"avg(tandem_artifact_speedup{{{OF_MODEL}}})", TIMES, p.steps((p.RED, None), (p.GREEN, 1)), 2),
            p.stat("Size of int8",
                   "Of its file, over that of the model.",
                   f"avg(tandem_artifact_size_ratio{{{OF_MODEL}}})",
                   PERCENT,
                   decimals=0),
            p.lines("Is int8 faster?", "Time from arrival to results: half and 99 of 100 requests.", SECONDS,
                    both("tandem_request_seconds", 0.5), both("tandem_request_seconds", 0.99)),
            p.lines("Is it as right?",
                    "Answers that are the same: of the last hour's comparisons, and of all.",
                    PERCENT,
                    p.query(f"1 - job_model_version:tandem_changed_answers:ratio_1h{{{changed}}}",
                            "{{version}} last hour"),
                    p.query(f"1 - job_model_version:tandem_changed_answers:ratio{{{changed}}}", "{{version}} all"),
                    low=None,
                    high=1,
                    thresholds=p.steps((p.RED, None), (p.GREEN, 0.95))),
            p.lines("Who answers?",
                    "Requests a second, by variant.",
                    RATE_UNIT,
                    p.query(rate("tandem_requests_total", OF_MODEL, "variant"), "{{variant}}"),
                    stacked=True),
            p.lines("What does the route say?",
                    "Share of the requests without a wish.",
                    PERCENT,
                    p.query(f"avg by (version, variant) (tandem_route_weight{{{OF_MODEL}}})",
                            "{{version}} {{variant}}"),
                    high=1),
            p.lines(
                "What does a thousand requests cost?", "Seconds of batches: gathered, run and answered.",
                SECONDS,
                p.query(
                    f"1000 * {rate('tandem_batch_seconds_total', OF_MODEL, 'variant')} "
                    f"/ {rate('tandem_request_seconds_count', OF_MODEL, 'variant')}", "{{variant}}")),
            p.lines("How much is computed in each?", "Time of batches: half and 99 of 100 requests.", SECONDS,
                    both("tandem_request_compute_seconds", 0.5), both("tandem_request_compute_seconds", 0.99)),
            p.lines("How far apart are the outputs?", "Error of int8's outputs relative to fp32's, root mean square.",
                    PERCENT, p.query(f"avg by (version) (tandem_relative_error{{{OF_MODEL}}})", "{{version}}")),
            p.lines("How much was compared?",
                    "Requests a second that both answered, that were known, and that found no room.", RATE_UNIT,
                    p.query(f"sum(rate(tandem_shadow_comparisons_total{{{OF_MODEL}}}[{RATE}]))", "compared"),
                    p.query(f"sum(rate(tandem_shadow_duplicates_total{{{OF_MODEL}}}[{RATE}]))", "duplicates"),
                    p.query(f"sum(rate(tandem_shadow_dropped_total{{{OF_MODEL}}}[{RATE}]))", "dropped")),
            p.states(
                "What was the verdict, and when?", "And the state of the sibling.",
                p.query(f"max by (version, verdict) (tandem_verdict{{{OF_MODEL}}})", "{{version}} live {{verdict}}"),
                p.query(f"max by (version, state) (tandem_variant_state{{{OF_MODEL}}})",
                        "{{version}} sibling {{state}}")),
            p.lines("What did the sibling lose when it was judged?",
                    "By its report's metric.",
                    PERCENT,
                    p.query(f"max by (version, metric) (tandem_artifact_loss{{{OF_MODEL}}})", "{{version}} {{metric}}"),
                    low=None),
            p.lines(
                "What became of the answers?", "Outcomes that clients have reported in the last hour.", "short",
                p.query(f"sum by (variant, outcome) (increase(tandem_outcomes_total{{{OF_MODEL}}}[1h]))",
                        "{{variant}} {{outcome}}")),
            p.lines("How often was a proof begun?", "Attempts, and promotions so far.", "short",
                    p.query(f"max by (version) (tandem_proof_attempts{{{OF_MODEL}}})", "{{version}} attempts"),
                    p.query(f'sum by (change) (tandem_promotions_total{{{SERVERS}, model="$model"}})', "{{change}}")),
        ])


def host():
    busy = p.steps((p.GREEN, None), (p.YELLOW, 0.7), (p.RED, 0.9))
    return p.dashboard(
        "tandem-host", "Tandem / Host and cores", "What the processes of Tandem take of their machines.",
        [JOB, INSTANCE], ANNOTATIONS, [
            p.stat("Cores", "That may run batches, all servers.", f"sum(tandem_cores{{{SERVERS}}})"),
            p.stat("Cores busy", "Batches that run, of those that may.",
                   f"sum(tandem_cores_busy{{{SERVERS}}}) / sum(tandem_cores{{{SERVERS}}})", PERCENT, busy, 0),
            p.stat("Processor time",
                   "Cores' worth, user and system.",
                   f"sum(rate(process_cpu_seconds_total{{{SERVERS}}}[{RATE}]))",
                   decimals=2),
            p.stat("Memory", "Resident.", f"sum(process_resident_memory_bytes{{{SERVERS}}})", BYTES),
            p.stat("Requests in flight", "Arrived and not ended.", f"sum(tandem_requests_in_flight{{{SERVERS}}})"),
            p.stat("Instruction set",
                   "That plans are compiled for.",
                   f"max by (cpu) (tandem_build_info{{{SERVERS}}})",
                   legend="{{cpu}}"),
            p.lines("Are the cores busy?",
                    "Batches that run, of those that may: means of five minutes, and now.",
                    PERCENT,
                    p.query(f"instance:tandem_cores_busy:ratio_avg5m{{{SERVERS}}}", "{{instance}} 5 minutes"),
                    p.query(f"tandem_cores_busy{{{SERVERS}}} / tandem_cores{{{SERVERS}}}", "{{instance}} now"),
                    high=1,
                    thresholds=p.steps((p.GREEN, None), (p.RED, 0.9))),
            p.lines("Who takes the cores?",
                    "Seconds of batches that requests were in, a second, by model and variant.",
                    "short",
                    p.query(rate("tandem_request_compute_seconds_sum", SERVERS, "model, variant"),
                            "{{model}} {{variant}}"),
                    stacked=True),
            p.lines("How much processor time does it take?",
                    "Cores' worth of user and system time, and the cores there are.", "short",
                    p.query(f"rate(process_cpu_seconds_total{{{SERVERS}}}[{RATE}])", "{{instance}}"),
                    p.query(f"tandem_cores{{{SERVERS}}}", "{{instance}} cores")),
            p.lines("Does memory grow?", "Resident, and what of it is no weights.", BYTES,
                    p.query(f"process_resident_memory_bytes{{{SERVERS}}}", "{{instance}} resident"),
                    p.query(f"instance:tandem_other_memory:bytes{{{SERVERS}}}", "{{instance}} without weights")),
            p.lines("Whose weights are they?",
                    "By model, all versions and variants.",
                    BYTES,
                    p.query(f"sum by (model) (tandem_weight_bytes{{{SERVERS}}})", "{{model}}"),
                    stacked=True),
            p.lines("Do requests pile up?", "In flight, and of these waiting for a core.", "short",
                    p.query(f"tandem_requests_in_flight{{{SERVERS}}}", "{{instance}} in flight"),
                    p.query(f"sum by (instance) (tandem_queued_requests{{{SERVERS}}})", "{{instance}} waiting")),
            p.lines("Are descriptors and threads bounded?", "Open files and threads.", "short",
                    p.query(f"process_open_fds{{{SERVERS}}}", "{{instance}} files"),
                    p.query(f"process_threads{{{SERVERS}}}", "{{instance}} threads")),
            p.lines("How long do loads and builds take?",
                    "Means so far: versions until they serve, int8 siblings until they are "
                    "judged.",
                    SECONDS,
                    p.query(
                        f"sum by (instance) (tandem_version_load_seconds_sum{{{SERVERS}}}) / sum by (instance) "
                        f"(tandem_version_load_seconds_count{{{SERVERS}}})", "{{instance}} load"),
                    p.query(
                        f"sum by (instance) (tandem_build_seconds_sum{{{SERVERS}}}) / sum by (instance) "
                        f"(tandem_build_seconds_count{{{SERVERS}}})", "{{instance}} build"),
                    log=True),
            p.lines("What came of them?",
                    "Loads and builds since the server started, by outcome, and what loads failed for.", "short",
                    p.query(f"sum by (outcome) (tandem_version_loads_total{{{SERVERS}}})", "load {{outcome}}"),
                    p.query(f"sum by (outcome) (tandem_builds_total{{{SERVERS}}})", "build {{outcome}}"),
                    p.query(f"sum by (code) (tandem_version_load_failures_total{{{SERVERS}}})", "load {{code}}")),
            p.states("Which servers are ready?", "Green while they are.",
                     p.query(f"tandem_ready{{{SERVERS}}}", "{{instance}}")),
        ])


ALL = {"fleet": fleet, "model": model, "variants": variants, "host": host}
