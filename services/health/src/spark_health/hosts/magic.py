"""The magic packet, and the command with which another Spark sends it."""

from typing import Final

from spark_common.errors import InvalidRequestError
from spark_common.remote.command import RemoteCommand
from spark_health.hosts.network import is_mac

PORTS: Final = (9, 7)
EVERYBODY: Final = "255.255.255.255"
_SCRIPT: Final = b"""\
set -u
mac=$1
shift
if command -v python3 >/dev/null 2>&1; then
  exec python3 - "$mac" "$@" <<'END'
import socket, sys
packet = b"\\xff" * 6 + bytes.fromhex(sys.argv[1].replace(":", "")) * 16
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
sent = 0
for address in sys.argv[2:]:
    for port in (9, 7):
        try:
            line.sendto(packet, (address, port))
            sent += 1
        except OSError as error:
            print(address, port, error, file=sys.stderr)
sys.exit(0 if sent else 1)
END
fi
command -v wakeonlan >/dev/null 2>&1 || exit 127
sent=1
for address in "$@"; do
  wakeonlan -i "$address" "$mac" && sent=0
done
exit $sent
"""


def packet(mac: str) -> bytes:
    """Return the 102 bytes that wake one card."""
    if not is_mac(mac):
        raise InvalidRequestError("this is no hardware address of a machine", mac=mac)
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16


def wake_command(mac: str, addresses: tuple[str, ...]) -> RemoteCommand:
    """Return what a Spark runs to wake another; exits 127 where it has no means to."""
    packet(mac)
    return RemoteCommand(("sh", "-s", mac, *addresses), stdin=_SCRIPT)
