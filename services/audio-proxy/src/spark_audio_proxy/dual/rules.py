"""The numbers of dual-channel recordings, one object to pass."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DualRules:
    """Seconds, and weights as log-odds: above 0 for bleed, below for the local side's speech.

    Bleed is the remote side as the local microphone hears it.
    """

    earliest_lag: float = -0.2
    latest_lag: float = 0.6
    """Bleed comes so much after the remote channel; before it, where clocks differ."""
    match_seconds: float = 0.22
    """A word that both channels hear differs by less than this from the lag."""
    cover_seconds: float = 0.14
    """A word within this of any remote word lies under remote speech."""
    matched: float = 3.5
    """The word is the echo of a remote one."""
    covered: float = -0.5
    """It lies under remote speech of which some word has no echo: it may be that one, misheard."""
    covered_beside_echo: float = -1.6
    """It lies under remote speech that was heard again by other words."""
    free: float = -6.0
    """The remote side is silent."""
    energy: float = 2.5
    """As loud as this recording's bleed, or as its speech; less where the two are alike."""
    change: float = 0.12
    """How likely the next word is of the other kind: both come in runs."""
    change_per_second: float = 0.25
    """How much likelier each second of silence in between makes it, up to even."""
    drop_from: float = 0.55
    """A word that is bleed with this probability is left out."""
