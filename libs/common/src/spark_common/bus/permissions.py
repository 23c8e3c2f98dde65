"""Who may say and hear what: one identity per service, with the least it needs."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Permissions:
    """Subjects an identity may publish on and subscribe to; everything else is refused."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    answers: bool = False
    """May reply to whoever asked it."""


def _inbox(name: str) -> str:
    return f"_INBOX_{name}.>"


def _reads(*streams: str) -> tuple[str, ...]:
    """Return what reading a stream takes: its newest messages and short-lived consumers."""
    subjects = ["$JS.FC.>"]
    for stream in streams:
        subjects += [
            f"$JS.API.STREAM.MSG.GET.{stream}",
            # Consumers without a name are made on the short subject, those with one below it.
            f"$JS.API.CONSUMER.CREATE.{stream}",
            f"$JS.API.CONSUMER.CREATE.{stream}.>",
        ]
    return tuple(subjects)


def _works(stream: str, *durables: str) -> tuple[str, ...]:
    """Return what working off durable consumers takes."""
    subjects = []
    for durable in durables:
        subjects += [
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
            f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
            f"$JS.ACK.{stream}.{durable}.>",
        ]
    return tuple(subjects)


def _service(
    name: str, publish: tuple[str, ...] = (), subscribe: tuple[str, ...] = ()
) -> Permissions:
    return Permissions(
        publish=("$SRV.>", "$JS.API.STREAM.INFO.*", *publish),
        subscribe=(_inbox(name), f"rpc.{name}.>", "$SRV.>", "settings.changed", *subscribe),
        answers=True,
    )


PERMISSIONS: Mapping[str, Permissions] = {
    "provisioner": Permissions(publish=("$JS.API.>",), subscribe=(_inbox("provisioner"),)),
    "gateway": _service(
        "gateway",
        publish=(
            "rpc.>",
            "menu.changed",
            *_reads(
                "SC_PROGRESS",
                "SC_SWAP_EVT",
                "SC_SWAP_ADM",
                "SC_JOB_EVT",
                "SC_JOB_PROGRESS",
                "SC_LEASE_EVT",
                "SC_SCHED_EVT",
                "SC_HEALTH",
                "SC_DLQ",
            ),
        ),
        subscribe=(
            "menu.changed",
            "keys.changed",
            "swap.complete",
            "swap.failed",
            "health.transition",
        ),
    ),
    "swapper": _service(
        "swapper",
        publish=(
            "swap.requested.*",
            "swap.cancel.*",
            "swap.accepted.*",
            "swap.rejected.*",
            "swap.progress.*",
            "swap.complete.*",
            "swap.failed.*",
            "download.progress.*",
            "download.complete.*",
            "download.failed.*",
            "update.progress.*",
            "update.complete.*",
            "update.failed.*",
            "install.progress.*",
            "install.complete.*",
            "install.failed.*",
            "menu.changed",
            "rpc.gateway.traffic.>",
            *_works("SC_SWAP_CMD", "swapper", "swapper-cancel"),
            *_works("SC_INGRESS", "swapper-ingress"),
            "$JS.API.STREAM.MSG.GET.SC_SWAP_CMD",
            "$JS.API.STREAM.MSG.GET.SC_SWAP_EVT",
            "$JS.API.STREAM.MSG.GET.SC_SWAP_ADM",
            "$JS.API.STREAM.MSG.GET.SC_PROGRESS",
            "$JS.API.STREAM.MSG.GET.SC_JOB_EVT",
            "$JS.API.STREAM.MSG.GET.SC_JOB_PROGRESS",
        ),
        subscribe=("menu.changed",),
    ),
    "health": _service(
        "health",
        publish=(
            "health.transition.*",
            "health.checked.*",
            "health.report",
            "health.probe.requested",
            "service.action",
            # Installs of services and the files in the speech container are jobs of health.
            "overlay.progress.*",
            "overlay.complete.*",
            "overlay.failed.*",
            "install.progress.*",
            "install.complete.*",
            "install.failed.*",
            "$JS.API.STREAM.MSG.GET.SC_JOB_EVT",
            "$JS.API.STREAM.MSG.GET.SC_JOB_PROGRESS",
            # What is loaded, whether a swap runs, who holds the cluster: read, never acted on.
            "rpc.swapper.models.list",
            "rpc.swapper.swap.list",
            "rpc.coordinator.lock.get",
            # A container beside the model is restarted under the lease, for a moment.
            "rpc.coordinator.lock.acquire",
            "rpc.coordinator.lock.release",
            "rpc.gateway.traffic.get",
            *_reads("SC_HEALTH", "SC_PROBES"),
            *_works("SC_PROBES", "health"),
        ),
        # Its own actions come back to it: a start on purpose is no crash, whichever part did it.
        subscribe=("menu.changed", "service.action"),
    ),
    "coordinator": _service(
        "coordinator",
        publish=(
            "lock.*",
            "schedule.*",
            "settings.changed",
            "keys.changed",
            "health.probe.requested",
            "rpc.*.about.get",
            "rpc.swapper.>",
            "rpc.gateway.traffic.>",
            "rpc.gateway.snapshot.take",
            # Maintenance and services of one's own go into the export of the state, and back.
            "rpc.health.services.own",
            "rpc.health.services.save",
            "rpc.health.maintenance.list",
            "rpc.health.maintenance.begin",
            # Its features ask each other as everybody else does: another one may answer.
            "rpc.coordinator.lock.get",
            "rpc.coordinator.schedule.calendar",
            *_works("SC_SWAP_EVT", "webhook", "accounts"),
            *_works("SC_LEASE_EVT", "webhook", "accounts"),
            *_works("SC_SCHED_EVT", "webhook"),
            *_works("SC_HEALTH", "webhook"),
            *_reads("SC_SWAP_EVT", "SC_SWAP_ADM", "SC_LEASE_EVT", "SC_SCHED_EVT", "SC_DLQ"),
            # Which message a dead letter was, in every stream that has workers.
            "$JS.API.STREAM.MSG.GET.SC_INGRESS",
            "$JS.API.STREAM.MSG.GET.SC_SWAP_CMD",
            "$JS.API.STREAM.MSG.GET.SC_HEALTH",
            "$JS.API.STREAM.MSG.GET.SC_PROBES",
        ),
        subscribe=("menu.changed",),
    ),
    "audio-proxy": _service(
        "audio-proxy",
        # A server that may be stuck is looked at by health, and restarted by nobody else.
        publish=(
            "audio.suspect",
            "audio.state",
            "audio.request.done",
            "audio.job.*",
            "health.probe.requested",
            "health.report",
            "rpc.health.deep.get",
        ),
        subscribe=("health.checked.*", "service.action"),
    ),
    "redaction": _service("redaction", publish=("redaction.audit.*",)),
    "automation": Permissions(
        publish=(
            "swap.requested",
            "health.report",
            "rpc.coordinator.about.>",
            "rpc.coordinator.lock.>",
            "rpc.coordinator.schedule.>",
            "rpc.coordinator.accountability.>",
        ),
        subscribe=(
            _inbox("automation"),
            "swap.accepted.*",
            "swap.rejected.*",
            "swap.progress.*",
            "swap.complete",
            "swap.failed",
            "download.progress.*",
            "download.complete",
            "download.failed",
            "update.progress.*",
            "update.complete",
            "update.failed",
            "install.progress.*",
            "install.complete",
            "install.failed",
            "overlay.progress.*",
            "overlay.complete",
            "overlay.failed",
            "lock.*",
            "schedule.*",
            "health.transition",
            "health.checked.*",
            "service.action",
            "audio.suspect",
            "audio.state",
            "audio.request.done",
            "audio.job.*",
            "redaction.audit.*",
        ),
    ),
}
"""Every identity of the product's account, by name; the name is also the inbox prefix."""


def automation(name: str) -> Permissions:
    """Return what the automation ``name`` may: what all may, and a durable consumer of its own.

    The consumer is ``auto_<name>`` on the outcomes of swaps, the inbox ``_INBOX_auto_<name>``.
    """
    common, own = PERMISSIONS["automation"], own_consumer(name)
    return Permissions(
        publish=(
            *common.publish,
            *_works(OWN_STREAM, own),
            f"$JS.API.CONSUMER.DELETE.{OWN_STREAM}.{own}",
            f"$JS.API.CONSUMER.DURABLE.CREATE.{OWN_STREAM}.{own}",
            # With a filter the server wants the filter's subject behind the name.
            f"$JS.API.CONSUMER.CREATE.{OWN_STREAM}.{own}",
            f"$JS.API.CONSUMER.CREATE.{OWN_STREAM}.{own}.>",
        ),
        subscribe=(_inbox(own), *common.subscribe[1:]),
    )


OWN_STREAM = "SC_SWAP_EVT"
"""Where an automation has a durable consumer of its own."""


def own_consumer(name: str) -> str:
    """Return the name of an automation's durable consumer, which is also its inbox prefix."""
    return f"auto_{name}"


OPERATOR = "operator"
"""The one identity of the system account: sees the server, not the product's messages."""
