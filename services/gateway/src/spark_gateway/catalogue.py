"""Every model that clients may name: what is loaded, what could be, and what runs beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final, Literal

from spark_common.contracts.models import ModelView, RuntimeView
from spark_gateway.dataplane.watch import Served
from spark_gateway.served import ServedModel
from spark_gateway.speech_watch import Spoken, Voice
from spark_gateway.streams.board import LiveSnapshot

WHATEVER_IS_LOADED: Final = "auto"

Kind = Literal["chat", "embedding", "rerank", "transcription", "speech"]
Place = Literal["llm", "embed", "audio"]
State = Literal["loaded", "loading", "unloaded", "unreachable"]

_COMPARED_CHARACTERS: Final = 200
_OWNER: Final = "spark-control"


@dataclass(frozen=True, slots=True)
class Known:
    """A model that somebody here serves, or could. Lengths in tokens."""

    id: str
    """What the server behind it calls it."""
    kind: Kind
    place: Place
    state: State
    names: tuple[str, ...] = ()
    """What else it may be called."""
    key: str | None = None
    """Its key on the menu."""
    created: int = 0
    """Epoch seconds."""
    owned_by: str = _OWNER
    root: str | None = None
    max_model_len: int | None = None
    capabilities: tuple[str, ...] = ()
    native_apis: tuple[str, ...] = ()
    """APIs that its server speaks itself, where it says so; names of ``_APIS``."""
    stale: bool = False
    """Whether the server did not answer when it was last asked."""
    voices: tuple[Voice, ...] = ()
    """Of what speaks."""
    languages: tuple[str, ...] = ()
    """Of what hears or speaks."""

    @property
    def served(self) -> bool:
        """Whether it is loaded, as far as anybody knows."""
        return self.state in ("loaded", "unreachable")


_SPEECH: Final[tuple[tuple[str, Kind, str, tuple[str, ...]], ...]] = (
    ("parakeet", "transcription", "parakeet", ("whisper-1",)),
    ("kokoro", "speech", "kokoro", ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")),
)
"""Model, kind, service that may be hidden, names of OpenAI's that mean it: what is known of speech
before its service has answered for the first time."""
_ALSO_CALLED: Final[Mapping[str, str]] = {"parakeet-tdt-0.6b-v3": "parakeet"}

_APIS: Final[Mapping[str, Set[str]]] = {
    "chat_completions": {"/v1/chat/completions"},
    "completions": {"/v1/completions"},
    "responses": {"/v1/responses"},
    "messages": {"/v1/messages"},
    "embeddings": {"/v1/embeddings"},
    "rerank": {"/v1/rerank", "/rerank"},
}
"""APIs by the addresses of which one is enough."""
_API_BESIDE: Final[Mapping[Kind, str]] = {"embedding": "embeddings", "rerank": "rerank"}


class Catalogue:
    """Knows all models by their names, from whoever said something last. Nothing here waits."""

    def __init__(
        self,
        loaded: Callable[[], Served],
        beside: Callable[[], Served],
        aliases: Callable[[], Sequence[str]],
        lists_menu: Callable[[], bool],
        hidden: Callable[[], Sequence[str]],
        made_at: int,
        speech: Callable[[], Spoken] = Spoken,
        coming: Callable[[], str | None] = lambda: None,
    ) -> None:
        """``loaded``: what the model server serves; ``beside``: the embedding server.

        ``aliases``: pairs ``name=meant``; ``hidden``: services that the owner does not have;
        ``made_at``: epoch seconds for models that do not say since when they are there;
        ``speech``: what hears and speaks; ``coming``: key of the model that a swap is bringing.
        """
        self._loaded = loaded
        self._beside = beside
        self._aliases = aliases
        self._lists_menu = lists_menu
        self._hidden = hidden
        self._made_at = made_at
        self._speech = speech
        self._coming = coming
        self._menu: tuple[ModelView, ...] = ()
        self._runtime: RuntimeView | None = None
        self._menu_stale = False
        self._seen_loaded: Served | None = None
        self._seen_beside: Served | None = None
        self._seen_aliases: Sequence[str] = ()
        self._seen_hidden: Sequence[str] = ()
        self._seen_speech: Spoken | None = None
        self._seen_coming: str | None = None
        self._models: tuple[Known, ...] = ()
        self._by_name: dict[str, Known] = {}
        self._meant: dict[str, str] = {}

    def on_picture(self, picture: LiveSnapshot) -> None:
        """Take in the menu; without one what was known stays, and is marked."""
        if picture.menu is not None:
            self._menu = tuple(picture.menu.models)
            self._runtime = picture.menu.runtime
        self._menu_stale = picture.menu is None
        self._seen_loaded = None

    def knows_all(self, place: str) -> bool:
        """Whether the server of a place said just now what it serves: then there is no more."""
        served = self._beside() if place == "embed" else self._loaded()
        return served.state == "serving"

    def listed(self) -> Sequence[Known]:
        """Return the models that clients are told of, the loaded ones first."""
        self._look()
        whole = self._lists_menu()
        return [each for each in self._models if whole or each.place != "llm" or each.served]

    def find(self, name: str) -> Known | None:
        """Return the model of this name, in its exact spelling; an alias counts."""
        self._look()
        return self._by_name.get(name)

    def meant(self, name: str) -> str:
        """Return what an alias of the owner's stands for; every other name as it is."""
        self._look()
        return self._meant.get(name, name)

    def first(self, kind: Kind) -> Known | None:
        """Return the first model of a kind that is loaded, what runs beside before the rest."""
        self._look()
        found = [each for each in self._models if each.kind == kind and each.served]
        return min(found, key=lambda each: each.place == "llm", default=None)

    def near(self, name: str) -> tuple[str, ...]:
        """Return up to three names that were perhaps meant."""
        self._look()
        short = {each.casefold(): each for each in self._by_name}
        asked = name.casefold()[:_COMPARED_CHARACTERS]
        wanted = asked.rpartition("/")[2]
        same = [each for low, each in short.items() if low.rpartition("/")[2] == wanted]
        close = get_close_matches(asked, short, n=3, cutoff=0.5)
        return tuple(dict.fromkeys([*same, *(short[low] for low in close)]))[:3]

    def _look(self) -> None:
        """Bring the index up to date when anything it was made of has changed."""
        loaded, beside, aliases, hidden, speech, coming = (
            self._loaded(),
            self._beside(),
            self._aliases(),
            self._hidden(),
            self._speech(),
            self._coming(),
        )
        if (
            loaded is self._seen_loaded
            and beside is self._seen_beside
            and aliases is self._seen_aliases
            and hidden is self._seen_hidden
            and speech is self._seen_speech
            and coming == self._seen_coming
        ):
            return
        self._seen_loaded, self._seen_beside = loaded, beside
        self._seen_aliases, self._seen_hidden = aliases, hidden
        self._seen_speech, self._seen_coming = speech, coming
        # The first of several counts.
        self._meant = dict(pair.split("=", 1) for pair in reversed(aliases))
        self._models, self._by_name = self._index(loaded, beside, aliases, hidden)

    def _index(
        self, loaded: Served, beside: Served, aliases: Sequence[str], hidden: Sequence[str]
    ) -> tuple[tuple[Known, ...], dict[str, Known]]:
        meant = dict(pair.split("=", 1) for pair in aliases)
        models: dict[str, Known] = {}
        for each in self._all(loaded, beside, hidden):
            # What is served beside may be on the menu too: then it is there, and not to be loaded.
            if each.id not in models or (each.served and not models[each.id].served):
                models[each.id] = each
        models = _served_beside(models)
        by_name = dict(models)
        for each in models.values():
            for name in each.names:
                by_name.setdefault(name, each)
        if WHATEVER_IS_LOADED not in by_name:
            first = next((each for each in models.values() if each.place == "llm"), None)
            if first is not None and first.served:
                by_name[WHATEVER_IS_LOADED] = first
        called: dict[str, list[str]] = {}
        for alias, name in meant.items():
            target = by_name.get(name)
            if target is not None and alias not in models:
                by_name[alias] = target
                called.setdefault(target.id, []).append(alias)
        return tuple(_also_called(each, called) for each in models.values()), by_name

    def _all(self, loaded: Served, beside: Served, hidden: Sequence[str]) -> Iterator[Known]:
        yield from self._served(loaded)
        for view in self._menu:
            if view.state != "ready" or view.quarantine is not None:
                continue
            if not view.loaded:
                yield self._unloaded(view)
            elif not loaded.models:
                # Its server never said a word to us, or is gone: the menu is what is known.
                yield self._unloaded(view, unreachable=loaded.state in ("unknown", "unreachable"))
        spoken = _apis(beside.paths)
        for model in beside.models:
            kind = _kind_beside(model, spoken)
            yield Known(
                model.id,
                kind,
                "embed",
                "unreachable" if beside.stale else "loaded",
                created=model.created or self._made_at,
                owned_by=model.owned_by,
                root=model.root,
                max_model_len=model.max_model_len,
                native_apis=tuple(api for api in spoken if api == _API_BESIDE[kind]),
                stale=beside.stale,
            )
        yield from self._spoken(self._speech(), hidden)

    def _spoken(self, speech: Spoken, hidden: Sequence[str]) -> Iterator[Known]:
        if speech.models is None:
            for name, kind, service, names in _SPEECH:
                if service not in hidden:
                    yield Known(name, kind, "audio", "loaded", names, created=self._made_at)
            return
        for model in speech.models:
            also = _ALSO_CALLED.get(model.id)
            away = speech.stale or not model.ready
            yield Known(
                model.id,
                model.kind,
                "audio",
                "unreachable" if away else "loaded",
                (*model.names, also) if also else model.names,
                created=self._made_at,
                stale=speech.stale,
                voices=model.voices,
                languages=model.languages,
            )

    def _served(self, loaded: Served) -> Iterator[Known]:
        # The menu may not know yet what the server just began to serve.
        views = sorted(self._menu, key=lambda each: not each.loaded)
        for number, model in enumerate(loaded.models):
            own = next((each for each in views if number == 0 and _is_of(each, model)), None)
            siblings = tuple(
                each.id
                for each in loaded.models
                if each.id != model.id and each.root == model.root and model.root is not None
            )
            names = () if own is None else (own.key, own.repo, own.served_name)
            yield Known(
                model.id,
                _kind_of(() if own is None else own.capabilities),
                "llm",
                "unreachable" if loaded.stale else "loaded",
                _others(model, (*siblings, *names, *([model.root] if model.root else []))),
                key=None if own is None else own.key,
                created=model.created or self._made_at,
                owned_by=model.owned_by,
                root=model.root,
                max_model_len=model.max_model_len,
                capabilities=() if own is None else tuple(own.capabilities),
                native_apis=_apis(loaded.paths),
                stale=loaded.stale,
            )

    def _unloaded(self, view: ModelView, *, unreachable: bool = False) -> Known:
        runtime = self._runtime
        starts = runtime is not None and runtime.state == "starting" and runtime.model == view.key
        state: State = "loading" if starts or view.key == self._seen_coming else "unloaded"
        names = tuple(name for name in (view.key, view.repo) if name != view.served_name)
        return Known(
            view.served_name,
            _kind_of(view.capabilities),
            "llm",
            "unreachable" if unreachable else state,
            names,
            key=view.key,
            created=self._made_at,
            root=view.repo,
            max_model_len=view.context_length,
            capabilities=tuple(view.capabilities),
            stale=unreachable or self._menu_stale or _is_stale(view),
        )


def _served_beside(models: Mapping[str, Known]) -> dict[str, Known]:
    """Give the menu's names to what serves the same weights beside: nothing is to be loaded."""
    beside = {each.id: each for each in models.values() if each.place == "embed" and each.served}
    kept: dict[str, Known] = {}
    for each in models.values():
        twin = beside.get(each.root or "")
        if twin is None or each.place != "llm" or each.served:
            kept[each.id] = beside.get(each.id, each)
            continue
        names = dict.fromkeys((*twin.names, each.id, *each.names))
        names.pop(twin.id, None)
        beside[twin.id] = kept[twin.id] = replace(twin, names=tuple(names))
    return kept


def _apis(paths: Set[str] | None) -> tuple[str, ...]:
    return tuple(api for api, at in _APIS.items() if paths and at & paths)


def _kind_of(capabilities: Sequence[str]) -> Kind:
    """What a model of the menu is for; of one that nobody knows that is chat."""
    if not capabilities or "chat" in capabilities:
        return "chat"
    if "rerank" in capabilities:
        return "rerank"
    return "embedding" if "embeddings" in capabilities else "chat"


def _kind_beside(model: ServedModel, apis: Sequence[str]) -> Kind:
    """What a model of the embedding server is for: as it says, as it can, or as it is called."""
    ranks = "rerank" in model.id.casefold()
    if model.kind is not None:
        ranks = model.kind == "rerank"
    elif apis:
        ranks = "rerank" in apis and (ranks or "embeddings" not in apis)
    return "rerank" if ranks else "embedding"


def _is_stale(view: ModelView) -> bool:
    """Whether every Spark that has it whole did not answer lately."""
    whole = [copy for copy in view.copies if copy.state == "ready"]
    return bool(whole) and all(copy.stale for copy in whole)


def _is_of(view: ModelView, model: ServedModel) -> bool:
    """Whether the menu speaks of this model: it may be older than what the server says."""
    ours = {view.served_name, view.repo, view.key, view.local_path}
    return model.id in ours or model.root in ours - {None}


def _others(model: ServedModel, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name != model.id))


def _also_called(model: Known, called: Mapping[str, Sequence[str]]) -> Known:
    more = called.get(model.id)
    return replace(model, names=(*model.names, *more)) if more else model
