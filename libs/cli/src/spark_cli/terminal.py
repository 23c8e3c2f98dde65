"""What sparkctl says to a person: one line per fact, colour only on a terminal."""

import sys
import time

import click

_WIDTH = 14


class Terminal:
    """Prints aligned lines with the seconds since the command began."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def ready(self, name: str, text: str) -> None:
        """A part is up."""
        self._line(click.style("ready", fg="green"), name, text)

    def note(self, name: str, text: str) -> None:
        """Something worth knowing happened."""
        self._line(click.style("note ", fg="blue"), name, text)

    def trouble(self, name: str, text: str) -> None:
        """Something is wrong; the text says what and what to do."""
        self._line(click.style("error", fg="red"), name, text, err=True)

    def plain(self, text: str = "") -> None:
        """Print as it is."""
        click.echo(text)
        sys.stdout.flush()

    def _line(self, word: str, name: str, text: str, err: bool = False) -> None:
        seconds = time.monotonic() - self._began
        click.echo(f"{seconds:6.1f}s  {word}  {name:<{_WIDTH}} {text}", err=err)
        (sys.stderr if err else sys.stdout).flush()
