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
from spark_swapper.candidate import Candidate
from spark_swapper.hosts import Hosts
from spark_swapper.launch import LaunchSettings, plan_launch
from spark_swapper.menu import Title, build_menu, hosts_for, named, outline, state_of, titles
from spark_swapper.ports import RuntimeWatch, SwapTimes
from spark_swapper.recipes import RecipeSource
from spark_swapper.recipes.local_path import identity

FRESH_SECONDS = 60.0
"""How old a look may be for a swap to be admitted on it."""
LOOP_SECONDS = 30.0
_NEAR = 5

log = structlog.get_logger()


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
    ) -> None:
        """``on_change`` is told the parts of the menu that really changed, as one text."""
        self._hosts = hosts
        self._recipes = recipes
        self._launch = launch
        self._watch = watch
        self._times = times
        self._clock = clock
        self._on_change = on_change
        self._told: dict[str, object] | None = None
        self._wanted = asyncio.Event()

    async def find(self, name: str) -> Candidate:
        """Return the model with this key, repository or served name, ready to be started.

        Looks at the disks again before it refuses: a download may just have ended. Raises
        UnknownModelError, ModelNotReadyError, HostUnreachableError when only a Spark that does
        not answer has it, UnavailableError when no Spark could be looked at.
        """
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
        """Look at the disks again and again, for ever."""
        while True:
            self._wanted.clear()
            await self._look()
            await self._nap()

    def refresh_soon(self) -> None:
        """Have the loop look now: a swap changed the memory of the Sparks."""
        self._wanted.set()

    async def _nap(self) -> None:
        napping = asyncio.ensure_future(self._clock.sleep(LOOP_SECONDS))
        wanted = asyncio.ensure_future(self._wanted.wait())
        try:
            await asyncio.wait({napping, wanted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            napping.cancel()
            wanted.cancel()

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
        return build_menu(book, sights, self._watch.view(), seconds, as_of)

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
        plan = plan_launch(recipe, title.repo, self._launch)
        return Candidate(
            key=title.key,
            name=title.name,
            repo=title.repo,
            served_name=plan.served_name,
            mode=recipe.mode,
            hosts=tuple(sight.spark.name for sight in on),
            image=plan.image,
            launch_argv=plan.launch_argv,
            vllm_argv=plan.vllm_argv,
            stop_argv=plan.stop_argv,
            volumes=plan.volumes,
        )

    def _named(self, name: str) -> Title:
        shown = self._titles()
        if found := named(shown, name):
            return found
        away = self._recipes_away(shown)
        if title := named(away, name):
            raise ModelNotReadyError(
                f"{title.name} is not on any Spark yet; download {title.repo} first",
                model=title.key,
            )
        near = near_names(name.strip().casefold(), (*shown, *away))
        hint = f"; close to it: {', '.join(near)}" if near else ""
        raise UnknownModelError(f"there is no model {name!r} on the menu{hint}", near=list(near))

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
                return f"{title.name} needs {needed} Sparks, and only {len(labels)} is set up"
            lacking = ", ".join(label for label in labels if label not in whole)
            return f"{title.name} needs its files on {needed} Sparks; {lacking} lacks them"
        if title.recipe and title.recipe.local_path:
            return f"{title.name} has no complete files in {title.repo} on any Spark"
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
