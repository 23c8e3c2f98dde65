"""The home, programs and environment of a simulated host, as real files."""

import py_compile
import shutil
import stat
import sys
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from spark_sim.plain_user import PlainUser

MARK = "SPARK_SIM"
"""Environment variable that every process of a simulator carries, to be found at its end."""

_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class Sandbox:
    """Directories of one host. Everything of a host is below ``root`` but its socket."""

    def __init__(
        self, root: Path, socket_path: Path, mark: str, *, plain_user: bool = False
    ) -> None:
        self.root = root
        self.user = PlainUser(plain_user)
        self.home = root / "home"
        self.bin = root / "bin"
        self.container_bin = root / "container" / "bin"
        self.container_packages = root / "container" / "packages"
        self.logs = root / "container" / "logs"
        self.hub = self.home / ".cache" / "huggingface" / "hub"
        self.checkout = self.home / "spark-vllm-docker"
        self._client = root / "client"
        self._socket = socket_path
        self._mark = mark
        self.python = str(Path(sys.executable).resolve())
        if self.user.drops:
            # Ours may lie where only root may go.
            self.python = shutil.which("python3", path=_SYSTEM_PATH) or self.python
        self._perl = shutil.which("perl", path=_SYSTEM_PATH) if sys.platform == "linux" else None

    def build(
        self, programs: Iterable[str], container_programs: Iterable[str], local: Iterable[str] = ()
    ) -> None:
        """Create the directories and write the programs afresh; ``local`` ones for the user."""
        for directory in (self.bin, self.container_bin, self.container_packages, self._client):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
        local_bin = self.home / ".local" / "bin"
        for directory in (self.home, self.logs, self.hub, local_bin):
            directory.mkdir(parents=True, exist_ok=True)
        self._compile_client()
        for name in programs:
            self._program(self.bin / name, name)
        for name in container_programs:
            self._program(self.container_bin / name, name)
        for name in local:
            self._program(local_bin / name, name)
        write_executable(self.container_bin / "python3", f'#!/bin/sh\nexec "{self.python}" "$@"\n')
        self._stand_in_tools()

    def environment(self, user: str = "spark") -> dict[str, str]:
        """Return what a non-interactive SSH command finds: no ``~/.local/bin``, nothing of ours."""
        return {
            "HOME": str(self.home),
            "USER": user,
            "LOGNAME": user,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "PATH": f"{self.bin}:{_SYSTEM_PATH}",
            MARK: self._mark,
        }

    def container_environment(self) -> dict[str, str]:
        """Return the environment of a process in a container of this host."""
        return {
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PATH": f"{self.container_bin}:{_SYSTEM_PATH}",
            "PYTHONPATH": str(self.container_packages),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HF_HOME": str(self.hub.parent),
            "SPARK_SIM_SOCKET": str(self._socket),
            MARK: self._mark,
        }

    def set_clock(self, ahead_seconds: int) -> None:
        """Let ``date`` be ahead on this host; 0: it is right."""
        path = self.bin / "date"
        path.unlink(missing_ok=True)
        if ahead_seconds:
            write_executable(
                path, f'#!/bin/sh\nexec /bin/date -d "now + {ahead_seconds} seconds" "$@"\n'
            )

    def _compile_client(self) -> None:
        """Write the body of all programs, compiled: it is read afresh by every call."""
        if self._perl is not None:
            perl = resources.files("spark_sim.programs").joinpath("client.pl")
            self._perl_client.write_text(perl.read_text())
            return
        source = self._client / "spark_sim_client.py"
        body = resources.files("spark_sim.programs").joinpath("client.py")
        source.write_text(body.read_text())
        unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(source), doraise=True, invalidation_mode=unchecked)

    @property
    def _perl_client(self) -> Path:
        return self._client / "client.pl"

    def _program(self, path: Path, name: str) -> None:
        if self._perl is not None:
            write_executable(
                path,
                f"#!{self._perl}\nrequire {_perl_text(self._perl_client)};\n"
                f"run({_perl_text(self._socket)}, {_perl_text(name)});\n",
            )
            return
        write_executable(
            path,
            f"#!{self.python} -IS\nimport sys\n\nsys.path.insert(0, {str(self._client)!r})\n"
            f"from spark_sim_client import run\n\nrun({str(self._socket)!r}, {name!r})\n",
        )

    def _stand_in_tools(self) -> None:
        """Give hosts that are not Linux the few tools every Spark has."""
        for name in ("setsid", "flock", "timeout"):
            if shutil.which(name) is None:
                body = resources.files("spark_sim.programs").joinpath(f"{name}.py").read_text()
                write_executable(self.bin / name, f"#!{self.python} -IS\n{body}")


def _perl_text(value: str | Path) -> str:
    """Return a literal of Perl in which nothing is interpolated."""
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def write_executable(path: Path, text: str) -> None:
    """Write a program."""
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
