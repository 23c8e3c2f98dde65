"""What an owner may sensibly change of how the product behaves."""

from typing import Annotated

from pydantic import Field, StringConstraints

from spark_common.settings.load import Settings, Shown
from spark_common.settings.values import Aliases, Names, Seconds

_Drain = Annotated[float, Field(ge=0, le=24 * 3600, allow_inf_nan=False)]
_Window = Annotated[float, Field(ge=5, le=3600, allow_inf_nan=False)]
_Minutes = Annotated[float, Field(gt=0, le=7 * 24 * 60, allow_inf_nan=False)]

_AtOnce = Annotated[int, Field(ge=0, le=10_000)]
_Wait = Annotated[float, Field(ge=1, le=1800, allow_inf_nan=False)]
_Megabytes = Annotated[float, Field(ge=0.01, le=4096, allow_inf_nan=False)]


class SwapPace(Settings):
    """How long a swap may take over what, in seconds. The defaults suit real Sparks."""

    drain_seconds: Annotated[Seconds, Shown(label="Drain")] = 30.0
    """Answers that are being generated may go on for this long."""
    stop_seconds: Annotated[Seconds, Shown(label="Stop")] = 120.0
    """Within this time the container must be gone; docker stop alone takes ten per host."""
    load_deadline_seconds: Annotated[Seconds | None, Shown(label="Longest load")] = None
    """From launch to the first healthy answer; by the size of the model unless given."""
    stall_seconds: Annotated[Seconds, Shown(label="Stalled load")] = 600.0
    """No word and nothing read from disk for this long while loading is a stall; while it
    compiles and computes, twice as long."""
    appear_seconds: Annotated[Seconds, Shown(label="vLLM must appear")] = 30.0
    """Within this time after the launcher is done, vLLM must be seen in its container."""
    poll_seconds: Annotated[Seconds, Shown(label="Between two looks")] = 1.0
    """How long to wait between two looks at a Spark while a swap runs."""


class GuardSettings(Settings):
    """When the memory of a Spark is in danger. The defaults suit real Sparks."""

    memory_floor_gb: Annotated[
        float, Field(ge=0, le=100, allow_inf_nan=False), Shown(label="Memory floor")
    ] = 4.0
    """A load is ended when less memory is available. 97 % in use have frozen Sparks, which is
    3.6 GB left; a recipe that plans to leave less than this gets a floor below its plan. 0 turns
    the watch off."""
    memory_settle_seconds: Annotated[Seconds, Shown(label="Memory comes back")] = 60.0
    """The driver gives memory back late: how long to wait for it after a stop."""
    freeze_seconds: Annotated[Seconds, Shown(label="Frozen Spark")] = 120.0
    """SSH silence that counts as a frozen Spark when its memory was running out."""
    drop_caches: Annotated[bool, Shown(label="Empty the page cache")] = False
    """Empty the page cache before every load, not only when asked."""


class DownloadTimings(Settings):
    """How often a download is looked at and how long it is waited for, in seconds."""

    download_poll_seconds: Annotated[Seconds, Shown(label="Between two looks at a download")] = 1.0
    """How long to wait between two looks at a download."""
    download_stall_seconds: Annotated[Seconds, Shown(label="Stalled download")] = 60.0
    """No byte for this long is told as a stall."""
    download_patience_seconds: Annotated[Seconds, Shown(label="Download given up")] = 1800.0
    """No byte, or no answer of the Spark, for this long ends the download."""


class LeasePolicy(Settings):
    """How a lease ends and how the line moves. Read at each use."""

    lease_drain_seconds: Annotated[_Drain, Shown(label="Answers after a lease")] = 60.0
    """After the end of a lease, answers that are being written may go on for this long before
    the next holder is let in. 0 lets the next one in at once."""
    lease_swap_drain_seconds: Annotated[_Drain, Shown(label="A swap after a lease")] = 1800.0
    """A swap that was begun under the lease may go on for this long after its end before the
    next holder is let in."""
    lease_take_up_seconds: Annotated[_Window, Shown(label="Take up a grant")] = 60.0
    """The next in line has to take the lease up within this time, or it passes on."""
    lease_seen_within_seconds: Annotated[_Window, Shown(label="Ask again in line")] = 60.0
    """Whoever waits in line has to ask at least this often, or loses the place."""
    lease_ageing_minutes: Annotated[_Minutes, Shown(label="More urgent after")] = 30.0
    """Every time somebody has waited this long, they count as one class more urgent."""

    def terms(self) -> dict[str, int]:
        """Return what the scripts need, in milliseconds."""
        answers = _ms(self.lease_drain_seconds)
        return {
            "answers_ms": answers,
            "drain_ms": max(answers, _ms(self.lease_swap_drain_seconds)),
            "take_up_ms": _ms(self.lease_take_up_seconds),
            "seen_ms": _ms(self.lease_seen_within_seconds),
            "ageing_ms": max(1, _ms(60 * self.lease_ageing_minutes)),
        }


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


class HomeSettings(Settings):
    """The model that comes back by itself, and when."""

    home_model: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)] = ""
    """Key of the model that comes back when nobody needs the cluster; empty: none does."""
    home_idle_minutes: Annotated[_Minutes, Shown(label="Comes home after")] = 15.0
    """Nobody may have held, waited, swapped or asked for this long before it comes back, in
    minutes."""
    home_always: Annotated[bool, Shown(label="Always comes home")] = False
    """Bring it back whenever the cluster is idle, and not only after a lease ended."""


class DataPathSettings(Settings):
    """Whether the lease also binds requests."""

    lease_binds_requests: Annotated[bool, Shown(label="The lease binds requests")] = False
    """While somebody holds the lease, requests that name another model than the loaded one are
    refused, with who holds it and until when."""


class ModelNamesSettings(Settings):
    """What clients may call models, and which they are told of."""

    model_aliases: Annotated[Aliases, Shown(label="Other names of models")] = ()
    """Pairs such as gpt-4o=auto or fast=qwen3-8b: a request that names the first is answered by
    the second. The name auto always means whatever model is loaded."""
    list_menu: Annotated[bool, Shown(label="List models that are not loaded")] = True
    """Name every model of the menu that could be loaded in /v1/models, and not only the one that
    is."""


class KeySettings(Settings):
    """Who has to show an API key."""

    api_keys: Annotated[bool, Shown(label="Ask for API keys")] = False
    """Requests under `/v1` need a key with the scope `infer`, and the dashboard and `/api` one
    with the scope `admin`. `/api` stays open until the first admin key is made."""
    api_keys_models_open: Annotated[bool, Shown(label="List of models without a key")] = False
    """Answer `GET /v1/models` without a key: some apps look at it before they have one."""
    api_keys_control_open: Annotated[bool, Shown(label="Dashboard without a key")] = False
    """Only `/v1` asks for keys; the dashboard and `/api` stay open to the whole network."""


class QueueSettings(Settings):
    """How many requests at once, who waits, and how large a request may be."""

    model_requests_at_once: Annotated[_AtOnce, Shown(label="Requests to the model")] = 0
    """Requests that the loaded model works on at once; the others wait in a fair queue. 0: no
    limit."""
    embed_requests_at_once: Annotated[_AtOnce, Shown(label="Requests to embeddings")] = 0
    """The same for embeddings and rerank."""
    audio_requests_at_once: Annotated[_AtOnce, Shown(label="Requests to speech")] = 0
    """The same for speech."""
    queue_longest_seconds: Annotated[_Wait, Shown(label="Longest wait in the queue")] = 300.0
    """Who has waited this long for a turn is sent away."""
    queue_most_waiting: Annotated[int, Field(ge=1, le=100_000), Shown(label="Most in a queue")] = (
        256
    )
    """Requests that may wait for one upstream; when there are more, those of whoever has most
    waiting are sent away first."""
    request_limit_mb: Annotated[_Megabytes, Shown(label="Largest request")] = 64.0
    """Requests with a larger body are refused before it is read; uploads have a limit of their
    own."""
    upload_limit_mb: Annotated[_Megabytes, Shown(label="Largest upload")] = 512.0
    """The same for files: speech and other forms."""


_Hold = Annotated[float, Field(ge=0, le=1500, allow_inf_nan=False)]
_Stay = Annotated[float, Field(ge=0, le=24 * 60, allow_inf_nan=False)]
_Patience = Annotated[float, Field(ge=0, le=1500, allow_inf_nan=False)]


class HoldSettings(Settings):
    """Which requests wait for a model that is not there yet, and whether one may bring it."""

    hold_requests: Annotated[bool, Shown(label="Hold requests during a swap")] = True
    """Requests for the model that a swap is loading wait for it, as those for auto do, instead of
    being refused until it is ready."""
    hold_longest_seconds: Annotated[_Hold, Shown(label="Longest hold")] = 540.0
    """A request is held for at most this long; most clients give up after ten minutes."""
    hold_most: Annotated[int, Field(ge=1, le=10_000), Shown(label="Most requests held")] = 256
    """Requests that may be held at once; the others are told to come back."""
    hold_most_mb: Annotated[_Megabytes, Shown(label="Most megabytes held")] = 64.0
    """Bodies of all held requests together."""
    swap_on_demand: Annotated[bool, Shown(label="Swap on demand")] = False
    """A request to generate that names a model of the menu which is not loaded asks for a swap to
    it and waits. Never while somebody holds the lease."""
    on_demand_stay_minutes: Annotated[_Stay, Shown(label="A model stays at least")] = 2.0
    """So long after a model became ready no request replaces it with another one."""
    on_demand_patience_seconds: Annotated[_Patience, Shown(label="The loaded model may finish")] = (
        60.0
    )
    """While the loaded model is answering, a request for another one waits this long before it
    asks for the swap all the same; while others stand in line for the loaded model, it never
    does."""


class RequestLogSettings(Settings):
    """What is kept of the requests under /v1."""

    request_log_days: Annotated[int, Field(ge=0, le=400), Shown(label="Keep the request log")] = 30
    """A line per request is kept for so many days: who, when, which model, how long, how many
    tokens; never what was said. 0 keeps none."""


class RemedySettings(Settings):
    """What is done by itself about a service that is stuck."""

    auto_restart: Annotated[bool, Shown(label="Restart what is stuck")] = True
    """A service beside the model whose GPU or server is broken is restarted: at most three times
    in half an hour, never while a model is swapped or somebody holds the cluster."""
    restarts_suggested: Annotated[Names, Shown(label="Only suggest the restart of")] = ()
    """Services, such as parakeet or kokoro, for which a restart is only suggested; a person
    presses it."""
