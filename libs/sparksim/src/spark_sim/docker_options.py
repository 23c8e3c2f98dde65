"""Reading docker's options, which may stand together, apart and with ``=``."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from spark_sim.docker_engine import DockerError


@dataclass
class Options:
    """Options as given, in order of their names, and what followed them."""

    values: dict[str, list[str]] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    rest: list[str] = field(default_factory=list)

    def last(self, *names: str, default: str = "") -> str:
        """Return the last value given under any of the names."""
        found = [value for name in names for value in self.values.get(name, [])]
        return found[-1] if found else default

    def all(self, *names: str) -> tuple[str, ...]:
        """Return every value given under any of the names."""
        return tuple(value for name in names for value in self.values.get(name, []))

    def has(self, *names: str) -> bool:
        """Whether a flag was given."""
        return any(name in self.flags for name in names)


def read_options(
    command: str, words: Sequence[str], *, takes: str, flags: str, interspersed: bool = False
) -> Options:
    """Split words into options and the rest. Raises DockerError for an unknown option.

    ``takes`` and ``flags`` are names separated by blanks. Without ``interspersed`` everything
    after the first word that is no option is left alone, as ``docker run`` and ``exec`` do.
    """
    with_value, alone = set(takes.split()), set(flags.split())
    options, queue = Options(), list(words)
    while queue:
        word = queue.pop(0)
        if word == "--" or not word.startswith("-") or word == "-":
            if word != "--":
                options.rest.append(word)
            if word == "--" or not interspersed:
                options.rest.extend(queue)
                break
            continue
        name, equals, value = word.partition("=")
        if name.lstrip("-") in with_value and name.startswith("--"):
            options.values.setdefault(name.lstrip("-"), []).append(
                value if equals else _next(command, name, queue)
            )
        elif name.startswith("--"):
            if name[2:] not in alone:
                raise DockerError(f"unknown flag: {name}\nSee 'docker {command} --help'.", 125)
            if value != "false":
                options.flags.add(name[2:])
        else:
            _short(command, word[1:], queue, options, with_value, alone)
    return options


def _short(
    command: str, letters: str, queue: list[str], options: Options, takes: set[str], flags: set[str]
) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in takes:
            value = letters.removeprefix("=") if letters else _next(command, f"-{letter}", queue)
            options.values.setdefault(letter, []).append(value)
            return
        if letter not in flags:
            raise DockerError(
                f"unknown shorthand flag: '{letter}' in -{letter}{letters}\n"
                f"See 'docker {command} --help'.",
                125,
            )
        options.flags.add(letter)


def _next(command: str, name: str, queue: list[str]) -> str:
    if not queue:
        raise DockerError(f"flag needs an argument: {name}\nSee 'docker {command} --help'.", 125)
    return queue.pop(0)
