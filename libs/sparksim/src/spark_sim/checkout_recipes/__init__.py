"""The recipes and mods of the simulated checkout, in the shapes that the launcher's own have."""

from importlib import resources
from pathlib import Path

from spark_sim.sandbox import write_executable

MODS = (
    "drop-caches",
    "fix-glm-4.7-flash-AWQ",
    "fix-mistral-small-4-119b-2603-nvfp4",
    "fix-qwen3-coder-next",
    "fix-qwen3.5-autoround",
    "fix-qwen3.5-chat-template",
    "fix-qwen3.6-chat-template",
    "glm53-nvidia-mtp-unquantized",
    "glm53-thinking-template-nvidia",
    "use-official-vllm",
)
_RUN = "#!/bin/bash\nset -e\necho 'Applying mod {mod}'\n"


def write_recipes(checkout: Path) -> None:
    """Write ``recipes/`` and ``mods/`` unless they are there; what was changed stays."""
    recipes = checkout / "recipes"
    if not recipes.exists():
        recipes.mkdir()
        for file in resources.files(__name__).iterdir():
            if file.name.endswith((".yaml", ".md")):
                (recipes / file.name).write_text(file.read_text("utf-8"))
    for mod in MODS:
        folder = checkout / "mods" / mod
        if not folder.exists():
            folder.mkdir(parents=True)
            write_executable(folder / "run.sh", _RUN.format(mod=mod))
