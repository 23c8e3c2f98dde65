"""What became of a message nobody could handle, and what to do: sentences for people."""

from spark_common.bus.permissions import own_consumer

_AGAIN = "Ask for it again; when it comes back here, the log of the swapper says why."
_ACTIONS = {
    ("SC_INGRESS", "swapper-ingress", "refused"): "Correct what the automation publishes as "
    "docs/EVENTS.md says, and publish it again: nothing was swapped.",
    ("SC_INGRESS", "swapper-ingress", "given_up"): "Publish the request again: nobody answered it.",
    ("SC_SWAP_CMD", "swapper", "refused"): "Press Switch to this again: nothing was swapped.",
    ("SC_SWAP_CMD", "swapper", "given_up"): "Look which model serves, then press Switch to this.",
    ("SC_SWAP_CMD", "swapper-cancel", "refused"): "Press Cancel if the swap still runs.",
    ("SC_SWAP_CMD", "swapper-cancel", "given_up"): "Press Cancel again if the swap still runs.",
}
_CONSUMERS = {
    "webhook": "Look at the deliveries of the targets and press Send again where one is missing.",
    "health": "Run the check of that service again, from its tile.",
    "accounts": "Nothing to press: the minutes of one event are missing in the accounts.",
}


def action(stream: str, consumer: str, why: str) -> str:
    """Return what to press or do about a dead letter."""
    if consumer.startswith(own_consumer("")):
        return "Nothing to press: the automation put away what was delivered to it alone."
    known = _ACTIONS.get((stream, consumer, why)) or _CONSUMERS.get(consumer)
    return known or "The log of the service that works on it says more; nothing tries it again."


def sentence(stream: str, consumer: str, why: str, deliveries: int, reason: str) -> str:
    """Return what happened in one sentence; ``reason`` is the worker's own, if it gave one."""
    if why == "given_up":
        times = "once" if deliveries == 1 else f"{deliveries} times"
        return f"{consumer} was given it {times} and never finished it."
    return f"{consumer} put it away: {reason or 'it gave no reason'}."
