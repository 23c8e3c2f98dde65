"""The models on the Sparks' disks and the recipes for them, kept fresh."""

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from spark_common.clock import Clock
from spark_common.contracts.models import Menu
from spark_common.errors import (
    HostUnreachableError,
    ModelNotReadyError,
    NotFoundError,
    SparkError,
    UnavailableError,
    UnknownModelError,
)
from spark_common.tasks import end
from spark_swapper.guarding.records import Notes, annotated, no_notes
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.menu.hosts import Hosts, Sight
from spark_swapper.menu.menu import Title, build_menu, hosts_for, named, outline, state_of, titles
from spark_swapper.ports import RuntimeWatch, SwapTimes
from spark_swapper.recipes import RecipeSource
from spark_swapper.recipes.local_path import identity

FRESH_SECONDS = 60.0
"""How old a look may be for a swap to be admitted on it."""
LOOP_SECONDS = 30.0
_NEAR = 5

log = structlog.get_logger()


async def _never(repo: str) -> bool:
    return False


class DiskShelf:
    """What can be picked, and how it is started. One per swapper."""

    def __init__(
        self,
        hosts: Hosts,
        recipes: RecipeSource,
        launch: LaunchSettings,
        watch: RuntimeWatch,
        times: SwapTimes,
        clock: Clock,
        on_change: Callable[[str], Awaitable[None]],
        notes: Notes = no_notes,
        deleting: Callable[[str], Awaitable[bool]] = _never,
    ) -> None:
        """``on_change`` is told the parts of the menu that really changed, as one text.

        ``notes`` says what is remembered of models by key: tests and quarantine. ``deleting``
        says whether a repository is being deleted; it may raise UnavailableError.
        """
        self._hosts = hosts
        self._recipes = recipes
        self._launch = launch
        self._watch = watch
        self._times = times
        self._clock = clock
        self._on_change = on_change
        self._notes = notes
        self._deleting = deleting
        self._told: dict[str, object] | None = None
        self._wanted = asyncio.Event()

    async def find(self, name: str) -> Candidate:
        """Return the model with this key, repository or served name, ready to be started.

        Looks at the disks again before it refuses: a download may just have ended. Raises
        UnknownModelError, ModelNotReadyError (also while it is being deleted),
        HostUnreachableError when only a Spark that does not answer has it, UnavailableError when
        no Spark could be looked at.
        """
        candidate = await self._found(name)
        try:
            deleting = await self._deleting(candidate.repo)
        except UnavailableError:
            # A swap goes on while the records are away; who deletes does not begin then.
            deleting = False
        if deleting:
            raise ModelNotReadyError(
                f"{candidate.name} is being deleted from disk", model=candidate.key
            )
        return candidate

    async def _found(self, name: str) -> Candidate:
        age = self._hosts.age_seconds()
        looked = age is None or age > FRESH_SECONDS
        if looked:
            await self._look()
        try:
            return self._candidate(name)
        except (NotFoundError, ModelNotReadyError, UnavailableError):
            if looked:
                raise
        await self._look()
        return self._candidate(name)

    async def menu(self, refresh: bool) -> Menu:
        """Return the whole menu; ``refresh`` looks at the disks again first.

        Never waits for a Spark otherwise: before the first look the hosts are ``unknown``.
        """
        if refresh:
            await self._look()
        await self._hosts.recall()
        return await self._menu()

    def key_for(self, repo: str) -> str | None:
        """Return the key of the model of a repository or directory, without looking at a disk."""
        if recipe := self._recipes.book.for_repo(repo):
            return recipe.key
        same = identity(repo)
        return next((t.key for t in self._titles() if identity(t.repo) == same), None)

    def key_named(self, name: str) -> str | None:
        """Return the key of the model on the menu with this key, repository or served name."""
        title = named(self._titles(), name)
        return title.key if title else None

    async def announce(self) -> None:
        """Tell when the menu differs from the one told last, for example by what is loaded.

        What could not be told is told after the next look.
        """
        now = outline(await self._menu())
        before, self._told = self._told, now
        changed = [part for part, value in now.items() if before and value != before[part]]
        if not changed:
            return
        try:
            await self._on_change(", ".join(changed))
        except SparkError as error:
            self._told = before
            log.warning("menu.not_told", reason=error.message)

    async def keep_fresh(self) -> None:
        """Look at the disks again and again, for ever; at once when poked."""
        while True:
            self._wanted.clear()
            await self._look()
            await self._nap()

    def refresh_soon(self) -> None:
        """Have the loop look now, without waiting for it: something changed on the Sparks."""
        self._wanted.set()

    async def recipes_changed(self) -> None:
        """Tell at once, and have the disks looked at: a directory may be a model now."""
        self.refresh_soon()
        await self.announce()

    async def refresh(self) -> None:
        """Look at the disks now and tell what changed, as after a deletion or a download."""
        await self._look()

    @property
    def sights(self) -> Sequence[Sight]:
        """The hosts as last seen."""
        return self._hosts.sights

    def known(self, name: str) -> Title:
        """Return the model with this key, repository or served name, on a disk or not.

        Without places it has a recipe only. Raises UnknownModelError.
        """
        shown = self._titles()
        away = self._recipes_away(shown)
        if found := named(shown, name) or named(away, name):
            return found
        near = near_names(name.strip().casefold(), (*shown, *away))
        hint = f"; close to it: {', '.join(near)}" if near else ""
        raise UnknownModelError(f"there is no model {name!r} on the menu{hint}", near=list(near))

    async def _nap(self) -> None:
        waits = (
            asyncio.ensure_future(self._clock.sleep(LOOP_SECONDS)),
            asyncio.ensure_future(self._wanted.wait()),
        )
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(waits)

    async def _look(self) -> None:
        self._recipes.notice()
        await self._hosts.look()
        await self.announce()

    def _titles(self) -> tuple[Title, ...]:
        return titles(self._recipes.book, self._hosts.sights)

    async def _menu(self) -> Menu:
        seconds = {title.key: await self._usual_seconds(title.key) for title in self._titles()}
        as_of = self._hosts.as_of or self._clock.now()
        book, sights = self._recipes.book, self._hosts.sights
        menu = build_menu(book, sights, self._watch.view(), seconds, as_of)
        return annotated(menu, await self._notes([model.key for model in menu.models]))

    async def _usual_seconds(self, key: str) -> float | None:
        try:
            return await self._times.usual_seconds(key)
        except SparkError:
            # A card without its load time beats no menu while Redis is away.
            return None

    def _candidate(self, name: str) -> Candidate:
        sights = self._hosts.sights
        if not any(sight.look for sight in sights):
            details = [sight.detail for sight in sights if sight.detail]
            raise UnavailableError("no Spark could be looked at: " + " ".join(details))
        title = self._named(name)
        recipe = title.recipe
        if state_of(title, sights) != "ready" or recipe is None:
            raise ModelNotReadyError(self._not_ready(title), model=title.key)
        on = hosts_for(title, sights)
        for sight in on:
            if not sight.fresh:
                reason = sight.detail or f"{sight.spark.label} does not answer."
                raise HostUnreachableError(
                    f"{title.name} is on {sight.spark.label}. {reason}", host=sight.spark.name
                )
        return plan_launch(
            recipe,
            title.repo,
            self._launch,
            [sight.spark.name for sight in on],
            max((place.copy.size_bytes for place in title.places), default=None),
        )

    def _refuse_if_unseen(self, title: Title) -> None:
        """Say that nobody knows while a Spark was never looked at: it may have the files."""
        for sight in self._hosts.sights:
            if sight.look is None:
                raise HostUnreachableError(
                    f"{title.name} may be on {sight.spark.label}, which was never looked at. "
                    f"{sight.detail or ''}".rstrip(),
                    host=sight.spark.name,
                )

    def _named(self, name: str) -> Title:
        title = self.known(name)
        local = title.recipe is not None and title.recipe.local_path is not None
        if not title.places and not local:
            self._refuse_if_unseen(title)
            raise ModelNotReadyError(
                f"{title.name} is not on any Spark yet; download {title.repo} first",
                model=title.key,
            )
        return title

    def _recipes_away(self, shown: Sequence[Title]) -> list[Title]:
        here = {title.key for title in shown}
        away = [recipe for recipe in self._recipes.book.recipes if recipe.key not in here]
        return [Title(recipe.key, recipe.target, recipe, ()) for recipe in away]

    def _not_ready(self, title: Title) -> str:
        match state_of(title, self._hosts.sights):
            case "needs_setup":
                return f"{title.name} has no recipe yet: set it up before the first start"
            case "downloading":
                return f"{title.name} is still being downloaded"
            case _:
                return self._what_is_missing(title)

    def _what_is_missing(self, title: Title) -> str:
        whole = {place.sight.spark.label for place in title.places if place.whole}
        if title.recipe and title.recipe.mode == "cluster" and whole:
            needed = title.recipe.nodes
            labels = [sight.spark.label for sight in self._hosts.sights][:needed]
            if len(labels) < needed:
                return f"{title.name} needs {needed} Sparks, and the cluster has {len(labels)}"
            lacking = ", ".join(label for label in labels if label not in whole)
            return f"{title.name} needs its files on {needed} Sparks; {lacking} lacks them"
        if title.recipe and title.recipe.local_path:
            return f"{title.name} has no complete files in {title.repo} on any Spark"
        if any(place.copy.state == "broken" for place in title.places):
            return (
                f"{title.name} has files that cannot be used; delete it from disk and download it "
                "again"
            )
        return f"{title.name} is not complete on any Spark; resume its download"


def near_names(folded: str, shown: Sequence[Title]) -> tuple[str, ...]:
    """Return keys of models whose key, repository or served name comes close, best first."""
    keys: dict[str, str] = {}
    for title in shown:
        for known in (*title.names(), title.name, title.repo.rpartition("/")[2]):
            keys.setdefault(known.casefold(), title.key)
    inside = [known for known in keys if folded and (folded in known or known in folded)]
    close = difflib.get_close_matches(folded, keys, n=_NEAR, cutoff=0.6)
    return tuple(dict.fromkeys(keys[known] for known in [*close, *inside]))[:_NEAR]
