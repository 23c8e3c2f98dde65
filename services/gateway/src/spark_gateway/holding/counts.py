"""What became of requests that waited for a model: plain numbers, read when somebody asks."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Since the start of the process."""

    held: int = 0
    let_go: int = 0
    """Because their model is there, or because nothing is coming any more."""
    refused: int = 0
    """The swap went wrong, or will not come."""
    overdue: int = 0
    """They waited as long as they may."""
    displaced: int = 0
    """Somebody came who had less of the room."""
    full: int = 0
    """Not held: as many as may were held already."""
