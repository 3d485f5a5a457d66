"""Can this service keep what `config/objectives.toml` promises? Named rules with numbers.

The same rules run when a project is made, as hooks/feasibility.jinja of the template; a property
test there holds both to the same words, which is why sums here keep their order. An error means
that the promise cannot be kept, a warning that it is closer than it looks.

Availability follows the usual arithmetic: what every answer needs adds up its downtime, what
stands in for something else multiplies it, less a common cause and failovers that do not work.
See Treynor, Dahlin, Rau, Beyer, "The Calculus of Service Availability", ACM Queue 15(2), 2017.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from .policy import Policy, derive, token_cap
from .settings import Availability, Candidate, Provider, Settings

MINUTES = 43_200
"""Minutes in 30 days."""

SHARED = 0.3
"""Share of a provider's downtime that hits another on the same cloud or network, too."""

INDEPENDENT = 0.1
"""The same for one that stands elsewhere."""

COVERAGE = 0.97
"""Share of failovers that work: noticed, switched, room on the other side."""

DEGRADED_UPTIME = 0.9999
REPLICAS_DOWN = {1: 0.005, 2: 0.0005, 3: 0.0001}
"""Share of time lost to restarts and releases, by number; 3 and more are one case."""

ZONES_DOWN = {1: 0.001, 2: 0.0001, 3: 0.00005}
INGRESS_DOWN = 0.0001
HAIR = 1e-9
"""Less than this is the rounding of floats and no finding."""

LONGEST_MS = 120_000
"""The most that `[latency] p95_ms` takes."""

WARN_DAYS, REFUSE_DAYS = 90, 30
"""How close a model's shutdown may come."""

Severity = Literal["error", "warn"]
Ways = tuple[tuple[object, str], ...]
"""`(condition, way out)`; a way out counts when its condition holds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that does not hold.

    Attributes:
        message: What is wrong, with the numbers.
        ways_out: Three things to do about it.
    """

    rule: str
    severity: Severity
    message: str
    ways_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Something every answer needs, and the share of time it is down."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The configuration as the rules read it.

    Attributes:
        candidates: Models of the route, first choice first.
        providers: Their providers, each once, in the same order.
        today: Shutdowns are counted from it.
    """

    settings: Settings
    policy: Policy
    candidates: tuple[Candidate, ...]
    providers: dict[str, Provider]
    today: date


def findings(
    settings: Settings, *, today: date | None = None, route: str = "answer"
) -> list[Finding]:
    """Check one route's objectives; empty when they can be kept.

    Args:
        today: Shutdowns are counted from it; the real one when not given.
    """
    candidates = settings.models.routes[route].candidates
    known = settings.models.providers
    providers = {c.provider: known.get(c.provider, Provider()) for c in candidates}
    plan = Plan(
        settings, derive(settings, route), candidates, providers, today or datetime.now(UTC).date()
    )
    rules = (l1, l2, l3, a1, a2_to_a4, a5, s2, u1)
    return [found for rule in rules for found in rule(plan)]


def finding(rule: str, severity: Severity, message: str, *ways: tuple[object, str]) -> Finding:
    """A finding with the first three ways out that apply."""
    return Finding(rule, severity, message, tuple(way for holds, way in ways if holds)[:3])


def l1(plan: Plan) -> Iterator[Finding]:
    """The usual answer must fit into the model stage at the model's slow speed."""
    latency = plan.settings.objectives.latency
    tokens = plan.settings.objectives.answer.typical_tokens
    model_ms = plan.policy.model_ms
    for first in plan.candidates[:1]:
        cap = token_cap(model_ms, first)
        if tokens <= cap:
            return
        need = first.first_token_p95_ms + tokens / first.tokens_per_s_p5 * 1000
        limit = limit_for(plan.settings, need)
        yield finding(
            "L1",
            "warn" if latency.streamed else "error",
            f"{tokens:,} answer tokens at {first.tokens_per_s_p5:,.0f} tokens/s need {need:,.0f} ms"
            f" and the model stage has {model_ms:,} ms: answers are cut at {max(1, cap):,} tokens",
            (limit <= LONGEST_MS, f"raise [latency] p95_ms to at least {limit:,}"),
            (not latency.streamed, "stream the answers: [latency] streamed = true"),
            (cap >= 10, f"shorten [answer] typical_tokens to at most {cap:,}"),
            (True, "put a faster model first in config/models.toml"),
            (True, "measure the first model; its planning numbers may be too careful"),
            (True, "give short answers and offer details on request"),
        )


def l2(plan: Plan) -> Iterator[Finding]:
    """The first model must usually be done, and show its first words, within its stage."""
    for first in plan.candidates[:1]:
        yield from l2_whole(plan, first)
        yield from l2_first_words(plan, first)


def l2_whole(plan: Plan, first: Candidate) -> Iterator[Finding]:
    """The model stage against the model's p95."""
    model_ms = plan.policy.model_ms
    if model_ms >= first.latency_p95_ms:
        return
    limit = limit_for(plan.settings, first.latency_p95_ms)
    yield finding(
        "L2",
        "error",
        f"[latency] p95_ms {plan.policy.deadline_ms:,} leaves {model_ms:,} ms for the model,"
        f" and the p95 of {first.name} is {first.latency_p95_ms:,} ms",
        (limit <= LONGEST_MS, f"raise [latency] p95_ms to at least {limit:,}"),
        (True, f"put a model first whose p95 is at most {model_ms:,} ms"),
        (True, f"measure {first.name}; its planning numbers may be too careful"),
        (True, "go without a model: the offline provider quotes the documents"),
    )


def l2_first_words(plan: Plan, first: Candidate) -> Iterator[Finding]:
    """The promised first token against the model's."""
    latency = plan.settings.objectives.latency
    before_ms = plan.policy.admit_ms + plan.policy.retrieve_ms
    left_ms = latency.first_token_ms - before_ms
    if not latency.streamed or left_ms >= first.first_token_p95_ms:
        return
    limit = up_to_100(first.first_token_p95_ms + before_ms)
    above = "" if limit < latency.p95_ms else ", and p95_ms above it"
    yield finding(
        "L2",
        "error",
        f"[latency] first_token_ms {latency.first_token_ms:,} leaves {left_ms:,} ms for the first"
        f" words, and {first.name} takes {first.first_token_p95_ms:,} ms",
        (True, f"raise [latency] first_token_ms to at least {limit:,}{above}"),
        (True, "put a model first that shows its first words sooner"),
        (True, "do not stream: [latency] streamed = false"),
    )


def l3(plan: Plan) -> Iterator[Finding]:
    """A second attempt should not have to start before the first one usually answers."""
    model_ms = plan.policy.model_ms
    for second in plan.candidates[1:2]:
        first = plan.candidates[0]
        start = min(first.latency_p95_ms, model_ms - second.latency_p95_ms)
        if model_ms < first.latency_p95_ms or start >= first.latency_p50_ms:
            return
        limit = limit_for(plan.settings, first.latency_p50_ms + second.latency_p95_ms)
        most = model_ms - first.latency_p50_ms
        yield finding(
            "L3",
            "warn",
            f"the fallback would have to start {start:,} ms into the model stage, before"
            f" {first.name} usually answers ({first.latency_p50_ms:,} ms):"
            " its answers will be late",
            (limit <= LONGEST_MS, f"raise [latency] p95_ms to at least {limit:,}"),
            (True, f"choose a fallback whose p95 is at most {most:,} ms"),
            (True, "count on the first provider alone and let a degraded answer step in"),
            (True, "put a faster model first in config/models.toml"),
        )


def limit_for(settings: Settings, model_ms: float) -> int:
    """The least `[latency] p95_ms`, in hundreds, that leaves `model_ms` for the model.

    The other steps take less than a fifth of what is added, so a dozen corrections settle it to
    the millisecond.
    """
    need = math.ceil(model_ms)
    limit = need
    for _ in range(12):
        limit = need + limit - derive(with_limit(settings, limit)).model_ms
    return up_to_100(limit)


def with_limit(settings: Settings, p95_ms: int) -> Settings:
    """The settings with another latency objective."""
    latency = settings.objectives.latency.model_copy(update={"p95_ms": p95_ms})
    objectives = settings.objectives.model_copy(update={"latency": latency})
    return settings.model_copy(update={"objectives": objectives})


def up_to_100(milliseconds: int) -> int:
    """The next hundred."""
    return (milliseconds + 99) // 100 * 100


def a1(plan: Plan) -> Iterator[Finding]:
    """A provider should commit to an uptime; an assumption is weaker."""
    for name, provider in plan.providers.items():
        if provider.published_uptime is None:
            yield finding(
                "A1",
                "warn",
                f"{name} publishes no uptime commitment;"
                f" planned with {100 * provider.uptime:.2f} %",
                (True, f"buy a tier with a commitment: [providers.{name}] published_uptime"),
                (True, f"plan with what you observe: [providers.{name}] uptime"),
                (True, "do not depend on it alone: a fallback, or a degraded answer that counts"),
            )


def a2_to_a4(plan: Plan) -> Iterator[Finding]:
    """The planned downtime must fit the error budget, best with half of it to spare.

    One cause, one finding: a lone provider that cannot carry the target, else a sum that does not
    fit, else one that leaves too little for the team's own faults.
    """
    want = plan.settings.objectives.availability
    target, budget = 100 * want.target, 1 - want.target
    parts = down(plan)
    total = sum(part.share for part in parts)
    uptimes = [provider.uptime for provider in plan.providers.values()]
    planned, allowed = total * MINUTES, budget * MINUTES
    ways = ways_to_more(plan, total)
    if len(uptimes) == 1 and not counts(want) and want.target > uptimes[0] + HAIR:
        message = f"{target:.2f} % cannot be reached on one provider planned at"
        yield finding("A2", "error", f"{message} {100 * uptimes[0]:.2f} %", *ways)
    elif total > budget + HAIR:
        message = f"{target:.2f} % allows {allowed:,.1f} minutes without answers in 30 days,"
        message = f"{message} {planned:,.1f} are planned: {largest(parts)}"
        yield finding("A3", "error", message, *ways)
    elif total > budget / 2 + HAIR:
        message = f"{planned:,.1f} of the {allowed:,.1f} minutes that {target:.2f} % allows without"
        message = f"{message} answers in 30 days are planned before any fault of your own:"
        yield finding("A4", "warn", f"{message} {largest(parts)}", *ways)


def ways_to_more(plan: Plan, total: float) -> Ways:
    """What raises the availability, or lowers what is promised."""
    want, platform = plan.settings.objectives.availability, plan.settings.objectives.platform
    refused = want.degraded_mode == "refuse"
    uncounted = plan.candidates and not counts(want)
    hard = ", ".join(name for name, source in plan.settings.sources.items() if source.hard)
    reachable = floor_2(100 * (1 - total))
    return (
        (
            uncounted and not refused,
            "let a degraded answer count: [availability] degraded_counts = true",
        ),
        (
            uncounted and refused,
            'choose [availability] degraded_mode "sources_only" and let it count',
        ),
        (len(plan.providers) == 1, "add a fallback from another vendor to config/models.toml"),
        (hard, f"answer without current documents: hard = false for {hard}"),
        (True, f"lower [availability] target to at most {reachable} %"),
        (platform.replicas < 3 or platform.zones < 3, "plan for 3 replicas in 3 zones: [platform]"),
        (True, "use a database with a higher uptime: [platform] database_uptime"),
        (True, "run in a second region, which the planned uptimes do not count on"),
    )


def counts(want: Availability) -> bool:
    """Whether a degraded answer counts as an answer."""
    return want.degraded_mode != "refuse" and want.degraded_counts


def floor_2(number: float) -> str:
    """Two decimals, never more than it was."""
    return f"{math.floor((number + HAIR) * 100) / 100:.2f}"


def down(plan: Plan) -> list[Part]:
    """Shares of time without answers by cause; they add up because each is needed."""
    objectives = plan.settings.objectives
    platform = objectives.platform
    models = models_down(list(plan.providers.values()))
    if counts(objectives.availability):
        models *= 1 - DEGRADED_UPTIME
    machines = REPLICAS_DOWN[min(platform.replicas, 3)] + ZONES_DOWN[min(platform.zones, 3)]
    return [
        Part("models", models),
        Part("platform", machines + INGRESS_DOWN),
        Part("database", 1 - platform.database_uptime),
        *(Part(name, 1 - s.uptime) for name, s in plan.settings.sources.items() if s.hard),
    ]


def models_down(providers: list[Provider]) -> float:
    """Share of time in which no provider answers.

    A common cause, a coincidence, or a failover that did not work.
    """
    shares = [1 - provider.uptime for provider in providers]
    if len(shares) < 2:
        return sum(shares)
    first = set(providers[0].shared_fate)
    apart = any(first.isdisjoint(provider.shared_fate) for provider in providers[1:])
    common = INDEPENDENT if apart else SHARED
    return common * min(shares) + math.prod(shares) + (1 - COVERAGE) * shares[0]


def largest(parts: list[Part]) -> str:
    """The three largest parts in minutes of 30 days."""
    ranked = sorted(parts, key=lambda part: part.share, reverse=True)[:3]
    return ", ".join(f"{part.name} {part.share * MINUTES:,.1f}" for part in ranked)


def a5(plan: Plan) -> Iterator[Finding]:
    """What every answer needs should use at most a tenth of the budget: the extra nine."""
    objectives = plan.settings.objectives
    budget = 1 - objectives.availability.target
    needed = [
        (
            "the database",
            objectives.platform.database_uptime,
            "[platform] database_uptime",
            "keep it the only one: hard = false for every source",
        ),
        *(
            (name, source.uptime, f"[{name}] uptime", f"answer without it: [{name}] hard = false")
            for name, source in plan.settings.sources.items()
            if source.hard
        ),
    ]
    for name, uptime, key, way in needed:
        share = 1 - uptime
        if share > budget / 10 + HAIR:
            yield finding(
                "A5",
                "warn",
                f"{name} at {100 * uptime:.2f} % uses {100 * share / budget:,.0f} % of the error"
                " budget; what every answer needs should use at most 10 %",
                (True, way),
                (True, f"make it more reliable: {key} = {1 - budget / 10:.5f}"),
                (
                    True,
                    f"lower [availability] target to at most {floor_2(100 * (1 - 10 * share))} %",
                ),
            )


def s2(plan: Plan) -> Iterator[Finding]:
    """Alerts need traffic.

    0.3: a usual hour has a third of the peak. 14.4: the burn rate of the fastest page, 2 % of the
    budget in an hour (https://sre.google/workbook/alerting-on-slos/); when that is less than two
    failures, one unlucky request pages.
    """
    objectives = plan.settings.objectives
    budget = 1 - objectives.availability.target
    hourly = objectives.load.peak_rps * 3600 * 0.3
    failures = hourly * 14.4 * budget
    if failures < 2:
        yield finding(
            "S2",
            "warn",
            f"about {hourly:,.0f} requests an hour: {failures:.2f} failures would use 2 % of the"
            " budget, so one unlucky request pages",
            (True, "let alerts wait for at least five failures"),
            (True, f"add probe requests: {2 / (14.4 * budget):,.0f} an hour in all are enough"),
            (True, "lower [availability] target: fewer nines, calmer alerts"),
        )


def u1(plan: Plan) -> Iterator[Finding]:
    """A model whose end is announced needs a successor in time."""
    for candidate in plan.candidates:
        last_day = candidate.shutdown_on
        if last_day is None or (days := (last_day - plan.today).days) >= WARN_DAYS:
            continue
        yield finding(
            "U1",
            "error" if days < REFUSE_DAYS else "warn",
            f"{candidate.name} shuts down on {last_day}, {days:,} days after {plan.today}",
            (True, "use its successor; the vendor's page on deprecations names it"),
            (True, "put another provider's model first in config/models.toml"),
            (True, "remove the candidate, if another one is left"),
        )
