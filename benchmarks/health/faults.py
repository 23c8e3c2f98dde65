"""Every class of fault: how it is brought about, what tells it, and where a person sees it."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.health.product import Heard, Product

Do = Callable[[Product], None]
Is = Callable[[Product], bool]
Tells = Callable[[Heard], bool]


@dataclass(frozen=True)
class Fault:
    """One row of the table."""

    name: str
    seen_as: str
    begin: Do
    shown: Is
    told: Tells | None
    """None for what is shown and is no event: what is busy is well, advice is advice."""
    end: Do
    well: Is
    follows: bool = False
    """It comes of the fault in the row before, and is counted from there."""


def _transition(target: str, to: str) -> Tells:
    def tells(heard: Heard) -> bool:
        return heard.type == "health.transition" and (
            (heard.data["target"], heard.data["to"]) == (target, to)
        )

    return tells


def _checked(target: str, state: str) -> Tells:
    def tells(heard: Heard) -> bool:
        return heard.type == "health.checked" and (
            (heard.data["target"], heard.data["state"]) == (target, state)
        )

    return tells


def _restarted(heard: Heard) -> bool:
    return heard.type == "service.action" and bool(heard.data["automatic"] and heard.data["ok"])


def _is(target: str, *states: str, reason: str = "") -> Is:
    def shown(product: Product) -> bool:
        state, why = product.shown(target)
        return state in states and reason in why

    return shown


def _behave(host: str, behaviour: str) -> Do:
    return lambda product: product.behave(host, behaviour)


def _spark(name: str, behaviour: str, state: str) -> Fault:
    return Fault(
        name,
        f"the Spark is {state}",
        _behave("spark2", behaviour),
        _is("spark2", state),
        _transition("spark2", state),
        _behave("spark2", "ok"),
        all_well,
    )


def all_well(product: Product) -> bool:
    return bool(product.page) and all(
        one["state"] in ("up", "idle", "busy") and one["misses"] == 0
        for one in product.page.values()
    )


def _stop(product: Product) -> None:
    product.on_spark("spark2", "docker", "stop", "qdrant")


def _start(product: Product) -> None:
    product.on_spark("spark2", "docker", "start", "qdrant")


def _remove(product: Product) -> None:
    product.on_spark("spark2", "docker", "rm", "-f", "qdrant")


def _wedge(product: Product) -> None:
    product.behave("spark1", "speech_wedge")
    product.check("parakeet")


def _silence(product: Product) -> None:
    product.behave("spark1", "voice_silent")
    product.check("kokoro")


def _work(*services: str) -> Is:
    def well(product: Product) -> bool:
        for service in services:
            if product.deep(service)["state"] != "ok":
                product.check(service)
                return False
        return all_well(product)

    return well


FAULTS = (
    _spark("Spark switched off", "unreachable", "down"),
    _spark("SSH half open: connects, nothing answers", "ssh_hang", "down"),
    Fault(
        "Spark frozen: out of memory",
        "the Spark is down",
        lambda product: product.freeze("spark2", frozen=True),
        _is("spark2", "down"),
        _transition("spark2", "down"),
        lambda product: product.freeze("spark2", frozen=False),
        all_well,
    ),
    _spark("docker hangs", "docker_hang", "degraded"),
    _spark("nvidia-smi hangs", "smi_hang", "degraded"),
    Fault(
        "container stopped",
        "the service is down",
        _stop,
        _is("qdrant", "down"),
        _transition("qdrant", "down"),
        _start,
        all_well,
    ),
    Fault(
        "containers end soon after every start",
        "the service is down",
        _behave("spark2", "service_crash_loop"),
        _is("qdrant", "down"),
        _transition("qdrant", "down"),
        _behave("spark2", "ok"),
        all_well,
    ),
    Fault(
        "event loop of speech blocked by work",
        "the service is busy",
        _behave("spark1", "speech_busy"),
        _is("parakeet", "busy"),
        None,
        _behave("spark1", "ok"),
        _is("parakeet", "up"),
    ),
    Fault(
        "voice answers with silence",
        "its deep check fails",
        _silence,
        lambda product: product.deep("kokoro")["state"] == "failing",
        _checked("kokoro", "failing"),
        _behave("spark1", "ok"),
        _work("kokoro"),
    ),
    Fault(
        "speech is wedged: GPU context broken",
        "its deep check says stuck",
        _wedge,
        lambda product: product.deep("parakeet")["state"] == "wedged",
        _checked("parakeet", "wedged"),
        _behave("spark1", "ok"),
        # Before the restart that follows: the next row waits for that.
        lambda _: True,
    ),
    Fault(
        "  and is restarted",
        "it works again",
        lambda _: None,
        lambda product: product.deep("parakeet")["state"] == "ok",
        _restarted,
        lambda _: None,
        _work("parakeet"),
        follows=True,
    ),
    Fault(
        "disk full",
        "advice",
        _behave("spark2", "disk_full"),
        lambda product: product.advised("disk_nearly_full", "spark2"),
        None,
        _behave("spark2", "ok"),
        lambda product: not product.advised("disk_nearly_full", "spark2"),
    ),
    Fault(
        "clock 90 s ahead",
        "advice",
        _behave("spark2", "clock_skew"),
        lambda product: product.advised("clock_skew", "spark2"),
        None,
        _behave("spark2", "ok"),
        lambda product: not product.advised("clock_skew", "spark2"),
    ),
    # Last: nobody makes a container that was removed but its owner.
    Fault(
        "container removed",
        "the service is down",
        _remove,
        _is("qdrant", "down"),
        _transition("qdrant", "down"),
        lambda _: None,
        lambda _: True,
    ),
)
