"""LiteLLM's proxy as its documentation starts it, in an environment of its own.

``python -m benchmarks.gateway.litellm`` makes that environment (some minutes, once); it is never
part of the product's.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

VERSION: Final = "1.74.9"
PLACE: Final = Path(".run/benchmarks/litellm")
_CONFIG: Final = """\
model_list:
  - model_name: bench
    litellm_params:
      model: openai/bench
      api_base: http://127.0.0.1:{upstream}/v1
      api_key: none
litellm_settings:
  telemetry: false
"""


def program() -> Path | None:
    """Return its program, or None when the environment was not made."""
    path = PLACE / "bin" / "litellm"
    return path.absolute() if path.exists() else None


def command(program: Path, directory: Path, upstream: int, port: int) -> list[str]:
    """Write its configuration; return what starts it with one worker."""
    config = directory / "litellm.yaml"
    config.write_text(_CONFIG.format(upstream=upstream))
    options = ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    return [str(program), "--config", str(config), *options]


def main() -> None:
    subprocess.run([sys.executable, "-m", "venv", PLACE], check=True)
    pip = PLACE / "bin" / "pip"
    subprocess.run([pip, "install", "--quiet", f"litellm[proxy]=={VERSION}"], check=True)


if __name__ == "__main__":
    main()
