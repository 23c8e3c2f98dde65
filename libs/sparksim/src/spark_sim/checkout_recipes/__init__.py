"""The recipes and mods of the simulated checkout, in the shapes that the launcher's own have."""

from collections.abc import Iterable
from importlib import resources

from spark_sim.checkout_file import CheckoutFile
from spark_sim.config import SimConfig

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


def recipe_files(_: SimConfig) -> Iterable[CheckoutFile]:
    """Yield the files of ``recipes/`` and ``mods/``."""
    for file in resources.files(__name__).iterdir():
        if file.name.endswith((".yaml", ".md")):
            yield CheckoutFile(f"recipes/{file.name}", file.read_text("utf-8"))
    for mod in MODS:
        yield CheckoutFile(f"mods/{mod}/run.sh", _RUN.format(mod=mod), executable=True)
