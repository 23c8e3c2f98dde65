"""Commands on the Sparks over SSH: one kept-alive connection per host, shared by all callers."""

from spark_common.remote.ssh.link import SshTimes
from spark_common.remote.ssh.shell import SshShell

__all__ = ["SshShell", "SshTimes"]
