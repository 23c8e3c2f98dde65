"""Asks a Spark for the recipes of its checkout, in one round trip, and remembers the answer."""

from importlib import resources

from pydantic import BaseModel, ConfigDict, ValidationError

from spark_common.clock import Clock
from spark_common.contracts.recipes import Template, Templates
from spark_common.errors import NotFoundError, RemoteCommandError, SparkError, UnavailableError
from spark_common.remote import RemoteCommand, RemoteResult, RemoteShell
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.menu.hosts import Spark
from spark_swapper.recipes import RecipeSource
from spark_swapper.templates.upstream import Place, read_template

READ_SECONDS = 15.0
KEPT_SECONDS = 300.0


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    text: str | None = None
    problem: str | None = None


class _Answer(BaseModel):
    """What the script says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    directory: str
    files: tuple[_File, ...] = ()
    problem: str | None = None


class Templating:
    """The templates of the first Spark that has any."""

    def __init__(
        self,
        shell: RemoteShell,
        sparks: tuple[Spark, ...],
        directory: str,
        recipes: RecipeSource,
        launch: LaunchSettings,
        clock: Clock,
    ) -> None:
        """``directory``: the checkout, absolute or relative to the home."""
        self._shell = shell
        self._sparks = sparks
        self._directory = directory
        self._recipes = recipes
        self._launch = launch
        self._clock = clock
        self._kept: tuple[float, Spark, _Answer] | None = None

    async def list(self, refresh: bool = False) -> Templates:
        """Return all of them; a file that cannot be read is in the list with its problem.

        Raises UnavailableError when no Spark answers.
        """
        kept = self._kept
        if refresh or kept is None or self._clock.monotonic() > kept[0]:
            spark, answer = await self._ask()
            self._kept = (self._clock.monotonic() + KEPT_SECONDS, spark, answer)
        else:
            _, spark, answer = kept
        place = Place(self._launch.port, self._launch.image, len(self._sparks), self._recipes.book)
        return Templates(
            templates=[_template(file, place) for file in answer.files],
            host=spark.name,
            directory=answer.directory,
            problem=answer.problem and f"{spark.label}: {answer.problem}",
        )

    async def find(self, name: str) -> Template:
        """Return one by its name, read anew when it is not known; raises NotFoundError."""
        for refresh in (False, True):
            templates = await self.list(refresh)
            for template in templates.templates:
                if template.name == name:
                    return template
        raise NotFoundError(
            f"there is no recipe {name!r} in {templates.directory}; list the templates again"
        )

    async def _ask(self) -> tuple[Spark, _Answer]:
        """Ask one Spark after the other until one has recipes."""
        empty: tuple[Spark, _Answer] | None = None
        trouble: SparkError | None = None
        for spark in self._sparks:
            try:
                answer = _read(
                    await self._shell.run(
                        spark.name, _command(self._directory), timeout_seconds=READ_SECONDS
                    ),
                    spark,
                )
            except (UnavailableError, RemoteCommandError) as error:
                trouble = trouble or error
                continue
            if answer.files:
                return spark, answer
            empty = empty or (spark, answer)
        if empty is not None:
            return empty
        raise trouble or UnavailableError("no Spark is set up")


def _command(directory: str) -> RemoteCommand:
    script = resources.files("spark_swapper.templates").joinpath("recipe_files.py").read_bytes()
    return RemoteCommand(argv=("python3", "-", directory), stdin=script)


def _read(result: RemoteResult, spark: Spark) -> _Answer:
    # A login banner or a profile script may have printed before; the answer is the last line.
    line = result.stdout.strip().rpartition("\n")[2]
    try:
        if not result.ok:
            raise ValueError(result.exit_code)
        return _Answer.model_validate_json(line)
    except (ValidationError, ValueError) as wrong:
        said = [row for row in result.stderr.splitlines() if row.strip()][-1:]
        raise RemoteCommandError(
            f"the recipes on {spark.label} could not be read"
            + (f": {said[0].strip()[:200]}" if said else "")
        ) from wrong


def _template(file: _File, place: Place) -> Template:
    name = file.name.rpartition(".")[0][:120]
    if file.text is None:
        return Template(name=name, title=name, problem=file.problem or "it cannot be read")
    return read_template(name, file.text, place)
