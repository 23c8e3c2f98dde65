"""How the speech container is shown."""

from collections.abc import Sequence

from spark_common.contracts.speech_models import (
    FileState,
    KeptFiles,
    OverlayFile,
    SpeechJobView,
    SpeechModels,
)
from spark_health.overlay.server import Said
from spark_health.overlay.sight import Sight
from spark_health.overlay.source import FILES, Shipped
from spark_health.overlay.target import Target

_WORST: tuple[FileState, ...] = ("unknown", "missing", "drift", "in_sync")


def models_view(
    target: Target,
    shipped: Shipped | None,
    sight: Sight | None,
    said: Said,
    blockers: Sequence[str],
    job: SpeechJobView | None,
) -> SpeechModels:
    """Return the whole of it; ``sight`` is None where the Spark could not be looked at."""
    seen = sight or Sight()
    hashes = shipped.hashes if shipped is not None else {}
    files = [_file(name, hashes.get(name), seen, said.running.get(name)) for name in FILES]
    states = {file.state for file in files}
    in_sync = states == {"in_sync"}
    return SpeechModels(
        address=target.address,
        port=target.port,
        container=target.container,
        host=target.host.name if target.host is not None else None,
        state=next(state for state in _WORST if state in states),
        files=files,
        container_state=seen.status,
        restart_count=seen.restart_count,
        image=seen.image,
        health=said.health,
        restart_needed=in_sync and said.ready and dict(said.running) != hashes,
        undo=_undo(seen),
        blockers=list(blockers),
        job=job,
    )


def _file(name: str, shipped: str | None, sight: Sight, running: str | None) -> OverlayFile:
    state: FileState
    there = sight.hashes.get(name)
    if shipped is None or name not in sight.hashes:
        state = "unknown"
    elif there is None:
        state = "missing"
    else:
        state = "in_sync" if there == shipped else "drift"
    return OverlayFile(
        name=name,
        state=state,
        shipped_sha256=shipped,
        container_sha256=there,
        running_sha256=running,
    )


def _undo(sight: Sight) -> KeptFiles | None:
    if sight.kept is None or why_no_undo(sight) is not None:
        return None
    return KeptFiles(kept_at=sight.kept.at, files=sorted(sight.kept.hashes))


def why_no_undo(sight: Sight) -> str | None:
    """Say why there is nothing to bring back, or nothing."""
    if sight.kept is None:
        return "Nothing is kept: our files replaced nothing yet."
    if sight.image_id != sight.kept.image_id:
        return "What is kept is of another image than the container has now."
    if sight.as_kept:
        return "The container already has what was there before."
    return None
