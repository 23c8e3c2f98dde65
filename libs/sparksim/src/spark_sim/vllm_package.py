"""Writes the ``vllm`` package of a container: thin modules at vLLM's own import paths."""

from importlib import resources

from spark_sim.sandbox import Sandbox, write_executable

_MODULES = {
    "vllm/__init__.py": '__version__ = "0.33.0"\n',
    "vllm/entrypoints/__init__.py": "",
    "vllm/entrypoints/cli/__init__.py": "",
    "vllm/entrypoints/cli/serve.py": "from vllm_cli.cli import ServeSubcommand\n",
    "vllm/entrypoints/cli/main.py": "from vllm_cli.cli import main\n",
    "vllm/entrypoints/common/__init__.py": "",
    "vllm/entrypoints/common/cli_args.py": "from vllm_cli.cli import validate_parsed_serve_args\n"
    "from vllm_cli.parser import make_arg_parser\n",
    "vllm/entrypoints/openai/__init__.py": "",
    "vllm/entrypoints/openai/api_server.py": "from vllm_cli.cli import validate_api_server_args\n",
    "vllm/engine/__init__.py": "",
    "vllm/engine/arg_utils.py": "from vllm_cli.engine_args import AsyncEngineArgs\n",
    "vllm/utils/__init__.py": "",
    "vllm/utils/argparse_utils.py": "from vllm_cli.parser import FlexibleArgumentParser\n",
}


def install_vllm(sandbox: Sandbox) -> None:
    """Put vLLM's command and package into the containers of a host."""
    packages = sandbox.container_packages
    for path, text in _MODULES.items():
        target = packages / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    (packages / "vllm_cli").mkdir(exist_ok=True)
    for source in resources.files("spark_sim.vllm_cli").iterdir():
        if source.name.endswith(".py"):
            (packages / "vllm_cli" / source.name).write_text(source.read_text())
    client = resources.files("spark_sim.programs").joinpath("client.py")
    (packages / "spark_sim_client.py").write_text(client.read_text())
    write_executable(
        sandbox.container_bin / "vllm",
        f"#!{sandbox.python} -S\nimport sys\n\nsys.path.insert(0, {str(packages)!r})\n"
        "from vllm.entrypoints.cli.main import main\n\nmain()\n",
    )
