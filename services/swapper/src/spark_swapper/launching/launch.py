"""From a recipe to argument lists: what is started, what is checked, what stops it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spark_common.errors import InvalidRequestError
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.flags import Flag, check_element, words
from spark_swapper.recipes import Recipe
from spark_swapper.recipes.reserved import DECIDED

LAUNCHER = "./launch-cluster.sh"


@dataclass(frozen=True)
class LaunchSettings:
    """What all launches of this cluster share."""

    container: str = "vllm_node"
    image: str = "vllm-node"
    port: int = 8888


def plan_launch(
    recipe: Recipe,
    repo: str,
    settings: LaunchSettings,
    hosts: Sequence[str] = (),
    weight_bytes: int | None = None,
) -> Candidate:
    """Return what starts ``repo``, as spelled on disk, by this recipe on these hosts.

    For a local model ``repo`` is its directory, which the runtime sees at the same place.

    Raises InvalidRequestError for an element that no argument list can carry.
    """
    image = recipe.image or settings.image
    vllm_argv = (repo, *_serve_flags(recipe, settings.port))
    options = ["-t", image, "--name", settings.container]
    if recipe.mode == "solo":
        # Without it a checkout with an .env starts the worker's container as well.
        options.append("--solo")
    for mod in recipe.mods:
        options += ["--apply-mod", mod]
    for name, value in recipe.env.items():
        options += ["-e", f"{name}={value}"]
    # -d must stand before the action: behind it, it would be an argument of vLLM.
    launch_argv = (LAUNCHER, *options, "-d", "exec", "vllm", "serve", *vllm_argv)
    stop_argv = (LAUNCHER, "-t", image, "--name", settings.container, "--solo", "stop")
    return Candidate(
        key=recipe.key,
        name=recipe.name,
        repo=repo,
        served_name=recipe.serves_as,
        mode=recipe.mode,
        hosts=tuple(hosts),
        image=image,
        launch_argv=_checked(launch_argv),
        vllm_argv=vllm_argv,
        stop_argv=_checked(stop_argv),
        volumes=() if recipe.local_path is None else (f"{repo}:{repo}:ro",),
        weight_bytes=weight_bytes,
    )


def _serve_flags(recipe: Recipe, port: int) -> tuple[str, ...]:
    own = [
        Flag("port", "--port", (str(port),)),
        Flag("host", "--host", ("0.0.0.0",)),  # noqa: S104 - inside the runtime's own container
        Flag("served-model-name", "--served-model-name", (recipe.serves_as,)),
    ]
    if recipe.mode == "cluster":
        # The launcher counts nodes from these flags, in the text of the command.
        own += [
            Flag(key, spelled, (str(count),))
            for key, spelled, count in (
                ("tensor-parallel-size", "-tp", recipe.tensor_parallel),
                ("pipeline-parallel-size", "-pp", recipe.pipeline_parallel),
                ("data-parallel-size", "-dp", recipe.data_parallel),
            )
            if count > 1
        ]
    return words([*own, *(flag for flag in recipe.flags if flag.key not in DECIDED)])


def _checked(argv: Iterable[str]) -> tuple[str, ...]:
    checked = tuple(argv)
    for element in checked:
        try:
            check_element(element)
        except ValueError as wrong:
            raise InvalidRequestError(f"cannot be an argument on a Spark: {wrong}") from wrong
    return checked
