"""Settings and state put together as one feature of the coordinator."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.owner import TABLE, LiveSettings, Table
from spark_coordinator.feature import Feature
from spark_coordinator.owner.editing import Editing
from spark_coordinator.owner.migrating import Migrating
from spark_coordinator.owner.neighbours import Neighbours
from spark_coordinator.owner.state.keeping import StateKeeping
from spark_coordinator.owner.state.overrides import SwappersRecipes
from spark_coordinator.owner.state.section import StateSection
from spark_coordinator.owner.store import OverlayStore
from spark_coordinator.owner.verbs import SettingsVerbs
from spark_coordinator.owner.viewing import usable


def owner_feature(
    *,
    bus: Bus,
    redis: Redis,
    clock: Clock,
    live: LiveSettings,
    environment: Mapping[str, str],
    data_dir: Path,
    sections: Sequence[StateSection] = (),
    table: Table = TABLE,
) -> Feature:
    """Put settings together. ``environment``: the variables that the owner's values overlay.

    ``data_dir`` may hold the ``app_settings.json`` of an old install. ``sections`` are the other
    parts of the state that are exported and imported.
    """
    store = OverlayStore(redis)
    editing = Editing(store, table, usable(table, environment), bus)
    migrating = Migrating(store, table, data_dir, clock)
    warnings = [migrating.warnings, Neighbours(bus).warnings]
    verbs = SettingsVerbs(store, editing, table, environment, warnings)
    state = StateKeeping(
        store,
        editing,
        table,
        SwappersRecipes(bus),
        sections,
        clock,
    )
    return Feature(
        verbs=[*verbs.verbs(), *state.verbs()],
        background=[migrating.run, live.run],
    )
