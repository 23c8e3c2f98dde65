"""Joins the page's modules into few files: a browser asks for six at a time, each with a request.

Nothing is rewritten but imports and exports: each module becomes a function that is called once,
in the order in which a browser calls modules, and what it exports is what that function returns.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname, join, normpath, relpath

PAGE = "/static/page.js"
"""All that the first picture needs."""

_ENTRY = "/static/app.js"
_EARLY = "/static/early.js"
"""Stays a file: it opens the live line while the rest is on its way."""
_LATE = re.compile(r"/static/late/[^/]+/index\.js")
_PASSED_ON = re.compile(r'^export \{ ([\w, ]+) \} from ("[^"]+");$', re.MULTILINE)
_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_UNKNOWN = re.compile(r"^(?:import|export)\b(?!\(| \{\};$).*", re.MULTILINE)
"""Nothing may be exported, as by what is only types, and anything be imported when it is due."""


@dataclass(frozen=True)
class Module:
    """One module, as a function: the paths it needs, the names it exports."""

    path: str
    needs: tuple[str, ...]
    exports: tuple[str, ...]
    body: str

    @property
    def name(self) -> str:
        """What stands for it in a joined file."""
        return named(self.path)

    def called(self) -> str:
        """Return the call that brings it about."""
        returned = f"return {{ {', '.join(self.exports)} }};"
        return f"// {self.path}\nconst {self.name} = (() => {{\n{self.body}\n{returned}\n}})();"


def named(path: str) -> str:
    """Return the name that stands for a module."""
    words = path.removeprefix("/static/").removesuffix(".js")
    return f"${words.replace('/', '$').replace('-', '_')}"


def read_module(path: str, source: str) -> Module:
    """Take a module apart. Raises ValueError for a way to import or export that is not known.

    Only what never changes is exported so: a variable that somebody sets again is no ``const``.
    """
    passed_on = [name for match in _PASSED_ON.finditer(source) for name in match[1].split(", ")]
    source = _PASSED_ON.sub(r"import { \1 } from \2;", source)
    needs = dict.fromkeys(_path(path, match[2]) for match in _IMPORT.finditer(source))
    exports = (*passed_on, *(match[1] for match in _EXPORT.finditer(source)))
    body = _EXPORT.sub("", _IMPORT.sub(lambda match: _taken(path, match), source))
    unknown = _UNKNOWN.search(body)
    if unknown is not None:
        raise ValueError(f"{path}: {unknown[0]!r} cannot be joined")
    return Module(path, tuple(needs), exports, body)


def join_modules(sources: Mapping[str, str]) -> tuple[dict[str, str], frozenset[str]]:
    """Return the joined files by path, and the modules that are only in them.

    ``sources``: every module of the page by its path. What the first picture needs is one file,
    and so is each part that comes when it is opened; what two of those share is a file too.
    """
    modules = {path: read_module(path, source) for path, source in sources.items()}
    page = _reached(modules, _ENTRY, without={_EARLY})
    parts = {path: _reached(modules, path, without=page) for path in modules if _LATE.match(path)}
    times = Counter(path for members in parts.values() for path in members)
    shared = {path: [path] for path, number in times.items() if number > 1}
    joined = {PAGE: _joined(modules, PAGE, page, ())}
    joined[PAGE] += f"export {{ {', '.join(map(named, page))} }};\n"
    for path, members in {**parts, **shared}.items():
        own = [each for each in members if each == path or each not in shared]
        ending = f"export const {{ {', '.join(modules[path].exports)} }} = {named(path)};\n"
        joined[path] = _joined(modules, path, own, page) + ending
    return joined, frozenset({*page, *times} - joined.keys())


def _reached(modules: Mapping[str, Module], entry: str, without: Collection[str]) -> list[str]:
    """Return what an entry needs, and itself: each after what it needs, as a browser has it."""
    reached: dict[str, None] = {}

    def visit(path: str, way: tuple[str, ...]) -> None:
        if path in way:
            raise ValueError(f"{path} needs itself")
        if path in reached or path in without:
            return
        for needed in modules[path].needs:
            visit(needed, (*way, path))
        reached[path] = None

    visit(entry, ())
    return list(reached)


def _joined(
    modules: Mapping[str, Module], path: str, members: list[str], page: Collection[str]
) -> str:
    """Return the text of a file at ``path``; what its ``members`` lack is imported."""
    needed = sorted({each for one in members for each in modules[one].needs} - set(members))
    lines = list(_imports(path, needed, page))
    return "\n".join([*lines, *(modules[one].called() for one in members), ""])


def _imports(path: str, needed: list[str], page: Collection[str]) -> Iterator[str]:
    of_page = [named(each) for each in needed if each in page]
    if of_page:
        yield f'import {{ {", ".join(of_page)} }} from "{_seen_from(path, PAGE)}";'
    for each in needed:
        if each not in page:
            yield f'import * as {named(each)} from "{_seen_from(path, each)}";'


def _taken(path: str, match: re.Match[str]) -> str:
    """What an import becomes; one without names was there for its effect, and had it."""
    return "" if match[1] is None else f"const {{{match[1]}}} = {named(_path(path, match[2]))};"


def _path(path: str, said: str) -> str:
    return normpath(join(dirname(path), said))


def _seen_from(path: str, other: str) -> str:
    seen = relpath(other, dirname(path))
    return seen if seen.startswith(".") else f"./{seen}"
