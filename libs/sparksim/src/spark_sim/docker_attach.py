"""A process in a container that its caller waits for, with the rights of the container."""

import asyncio
from collections.abc import Mapping, Sequence

from spark_sim.call import Call
from spark_sim.sandbox import Sandbox


async def attach(
    call: Call, sandbox: Sandbox, argv: Sequence[str], env: Mapping[str, str], *, interactive: bool
) -> int:
    """Run a program for a ``docker run`` or ``docker exec`` in the foreground.

    The caller becomes the program, unless it has fewer rights than a container.
    """
    sandbox.user.let_root_in(sandbox.hub, argv)
    if not sandbox.user.drops:
        await call.become(argv, env, "/")
        return 0
    child = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE if interactive else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(env),
        cwd="/",
    )
    try:
        given = await call.read_all() if interactive else None
        out, err = await child.communicate(given)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    await call.out(out)
    await call.err(err)
    return child.returncode or 0
