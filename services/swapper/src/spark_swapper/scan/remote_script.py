"""Makes one Python script out of several files, to be sent to a Spark on standard input."""

from functools import cache
from importlib import resources

_CACHE_FILES = tuple(
    f"spark_swapper.scan.{name}" for name in ("hf_cache", "hf_files", "hf_weights", "hf_repo")
)
_LOADER = """\
import sys, types
def _module(name, text):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
"""


@cache
def remote_script(main: str, *parts: str) -> bytes:
    """Return a script that runs the module ``main``; ``parts`` are modules it imports.

    What knows the cache is always among them. The files are read as they are: each becomes a
    module under its own name, so that one text is imported here, checked, tested, and run there.
    """
    pieces = [_LOADER]
    pieces += [f"_module({name!r}, {_text(name)!r})\n" for name in (*_CACHE_FILES, *parts)]
    # ``from __future__`` has to come first in a file, so the last one runs from a string as well.
    pieces.append(f"exec(compile({_text(main)!r}, {main!r}, 'exec'))\n")
    return "".join(pieces).encode()


def _text(module: str) -> str:
    package, _, name = module.rpartition(".")
    return resources.files(package).joinpath(f"{name}.py").read_text(encoding="utf-8")
