"""The one question every service answers: who are you, since when, and are you ready."""

from datetime import datetime

from spark_common.contracts.rpc import Reply, Request, Rpc


class GetAbout(Request):
    """Ask a service about itself."""


class About(Reply):
    """What a service says about itself; true at the moment of asking."""

    name: str
    version: str
    started_at: datetime
    ready: bool
    reasons: list[str] = []
    """Why it is not ready, one sentence each; empty when it is."""
    warnings: list[str] = []
    """Settings that were blank or malformed and fell back, one sentence each."""


def about_rpc(service: str) -> Rpc[GetAbout, About]:
    """Return the verb of one service: ``rpc.<service>.about.get``."""
    return Rpc(f"rpc.{service}.about.get", GetAbout, About)
