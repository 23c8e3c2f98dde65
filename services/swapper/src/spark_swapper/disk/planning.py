"""What deleting a model frees on each Spark, from the last looks. Pure."""

from collections.abc import Sequence

from spark_common.contracts.disk import DeletePlace, DeletePlan
from spark_swapper.menu.menu import Place, Title

_GIGABYTE = 1e9


def places_by_host(title: Title) -> dict[str, list[Place]]:
    """Return the copies of a model per host; two spellings of one name lie in two folders."""
    found: dict[str, list[Place]] = {}
    for place in title.places:
        found.setdefault(place.sight.spark.name, []).append(place)
    return found


def plan_deletion(title: Title, blockers: Sequence[str], image: str) -> DeletePlan:
    """Return the whole plan."""
    places = [_place(copies) for copies in places_by_host(title).values()]
    return DeletePlan(
        model=title.key,
        repo=title.repo,
        name=title.name,
        places=places,
        frees_bytes=sum(place.frees_bytes for place in places),
        blockers=list(blockers),
        notes=_notes(title, places, image),
    )


def _place(copies: Sequence[Place]) -> DeletePlace:
    sight = copies[0].sight
    shared = sum(place.copy.shared_bytes for place in copies)
    all_bytes = sum(place.copy.size_bytes + place.copy.incomplete_bytes for place in copies)
    frees = max(0, all_bytes - shared)
    free = sight.look.disk_free_bytes if sight.look else None
    return DeletePlace(
        host=sight.spark.name,
        label=sight.spark.label,
        frees_bytes=frees,
        shared_bytes=shared,
        free_bytes=free,
        free_after_bytes=free + frees if free is not None else None,
        stale=not sight.fresh,
        root_owned=any(place.copy.root_owned for place in copies),
    )


def _notes(title: Title, places: Sequence[DeletePlace], image: str) -> list[str]:
    notes = []
    if not places:
        notes.append(f"There are no files of {title.name} on any Spark.")
    for place in places:
        if place.stale:
            notes.append(
                f"{place.label} does not answer: these are its last known values, and its files "
                "stay until it is back and you delete again."
            )
        if place.root_owned:
            notes.append(
                f"Some files on {place.label} belong to root: a container of {image} removes them."
            )
        if place.shared_bytes:
            notes.append(
                f"{place.shared_bytes / _GIGABYTE:.1f} GB on {place.label} are used by something "
                "else too and stay."
            )
    if title.recipe is not None:
        notes.append("Its settings stay: once downloaded again it starts as before.")
    size = max((place.copy.size_bytes for place in title.places), default=0)
    if size:
        notes.append(
            f"To have it back, about {size / _GIGABYTE:.1f} GB have to be downloaded again."
        )
    return notes
