"""Every route of the application, with an example of its path."""

from spark_gateway.control_route import SAFE_METHODS
from spark_gateway.routes import all_routes


def example_of(path: str) -> str:
    return "/".join("x1" if part.startswith("{") else part for part in path.split("/"))


def changing():
    return [
        (method, example_of(route.path))
        for route in all_routes()
        for method in sorted((route.methods or set()) - SAFE_METHODS)
    ]
