"""Every router, in the order in which paths are looked up."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from spark_gateway.api import (
    access,
    accountability,
    captures,
    dead_letters,
    deep_health,
    disk,
    docs,
    downloads,
    embedding,
    events,
    explain,
    hardware,
    health,
    home,
    keys,
    lease,
    live,
    matrix_bridge,
    models,
    nim,
    openai,
    plans,
    recipes,
    redaction,
    requests,
    schedules,
    search,
    services,
    session,
    settings,
    sniffing,
    speech_models,
    state,
    status,
    status_page,
    swap_logs,
    swaps,
    updates,
    webhooks,
)

ROUTERS: tuple[APIRouter, ...] = (
    status.router,
    status_page.router,
    hardware.router,
    access.router,
    health.router,
    services.router,
    matrix_bridge.router,
    models.router,
    recipes.router,
    disk.router,
    lease.router,
    swaps.router,
    swap_logs.router,
    plans.router,
    updates.router,
    schedules.router,
    settings.router,
    state.router,
    search.router,
    embedding.router,
    nim.router,
    speech_models.router,
    redaction.router,
    explain.router,
    downloads.router,
    accountability.router,
    requests.router,
    captures.router,
    home.router,
    deep_health.router,
    keys.router,
    session.router,
    webhooks.router,
    live.router,
    events.router,
    dead_letters.router,
    openai.router,
    sniffing.router,
    docs.router,
)


def all_routes() -> list[APIRoute]:
    """Return every route of every router."""
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def methods_at(path: str) -> set[str]:
    """Return the methods that some route answers at ``path``, HEAD with every GET."""
    found: set[str] = set()
    for route in all_routes():
        if route.path_regex.match(path):
            found |= route.methods or set()
    return found | ({"HEAD"} if "GET" in found else set())
